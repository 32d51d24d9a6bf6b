/** The cache of subjects, which expires as a whole when the population changes. */
import { DezkyError } from '../error.js'
import type { Subject } from '../types.js'
import { ClientError } from './client-error.js'
import { isSlug } from './options.js'

/** The capacity of the cache. A subject takes a few hundred bytes. */
const MAX_SUBJECTS = 4_096
/** The number of requests for subjects that may run at once. */
const MAX_REQUESTS = 8
/** How long a caller waits for the server when a subject is cached, in milliseconds. */
const PATIENCE = 1_000
/** After a failure, the cached subject is used for this long before the server is asked again. */
const PAUSE = 1_000

/** The server's response to a request for a subject. Without a body, the subject is unchanged. */
export interface SubjectResponse {
  readonly body: string | undefined
  readonly tag: string | undefined
}

/** The source of the cache's subjects. */
export interface SubjectSource {
  /** Throws if the subject is malformed. */
  checkSubject(subject: Subject): void
  /** `true` if cached subjects are returned without asking the server. */
  readonly isAway: boolean
  /**
   * Requests a subject, unless it is still the one with this tag. Resolves to `undefined` if the
   * key covers no tenant with this slug. Rejects with a `ClientError`.
   */
  fetchSubject(slug: string, tag: string | undefined): Promise<SubjectResponse | undefined>
}

interface CachedSubject {
  readonly subject: Subject
  readonly tag: string | undefined
  /** The generation of the cache when the request started. */
  readonly generation: number
  /** After a failure, the server is not asked again before this time. */
  readonly pauseUntil: number
}

export class SubjectCache {
  readonly #source: SubjectSource
  readonly #cached = new Map<string, CachedSubject>()
  readonly #requests = new Map<string, Promise<Subject>>()
  readonly #queue: (() => void)[] = []
  #running = 0
  /** The last population that the server announced; for a slice, its digest. */
  #population: string | undefined
  /** The number of population changes; 0 until the server has reported its population. */
  #generation = 0

  constructor(source: SubjectSource) {
    this.#source = source
  }

  /** Expires every subject if the population changed. */
  notePopulation(population: string | undefined): void {
    if (population === undefined || population === this.#population) return
    this.#population = population
    this.#generation++
  }

  async resolve(slug: string): Promise<Subject> {
    if (!isSlug(slug)) throw slugError('invalid_slug', 'a slug is 1 to 63 of a-z, 0-9 and -, and begins and ends with a letter or digit')
    const cached = this.#cached.get(slug)
    const isFresh = cached && ((cached.generation && cached.generation === this.#generation) || performance.now() < cached.pauseUntil)
    if (cached && (isFresh || this.#source.isAway)) return cached.subject
    let request = this.#requests.get(slug)
    if (!request) {
      request = this.#request(slug, cached).finally(() => this.#requests.delete(slug))
      this.#requests.set(slug, request)
    }
    return cached ? withPatience(request, cached.subject) : request
  }

  async #request(slug: string, cached: CachedSubject | undefined): Promise<Subject> {
    if (this.#running === MAX_REQUESTS) await new Promise<void>((resolve) => this.#queue.push(resolve))
    this.#running++
    const generation = this.#generation
    try {
      const response = await this.#source.fetchSubject(slug, cached?.tag)
      if (!response) return this.#forget(slug)
      const { body, tag = cached?.tag } = response
      const subject = body === undefined ? cached?.subject : this.#read(body, slug)
      if (!subject) throw new ClientError('unexpected_status', 'the server answered 200, but not with the subject of this tenant')
      this.#insert(slug, { subject, tag, generation, pauseUntil: 0 })
      return subject
    } catch (thrown) {
      if (!cached || !(thrown instanceof ClientError)) throw thrown
      this.#insert(slug, { ...cached, pauseUntil: performance.now() + Math.max(PAUSE, thrown.retryAfter) })
      return cached.subject
    } finally {
      this.#running--
      this.#queue.shift()?.()
    }
  }

  /**
   * Parses the subject of the tenant with this slug. Unknown members are ignored, because a newer
   * server may send them.
   */
  #read(body: string, slug: string): Subject | undefined {
    try {
      const given: Subject = Object.assign(Object.create(null), JSON.parse(body))
      const { tenantId, tenantSlug, plan, partnerSlug, environment } = given
      const subject = { tenantId, tenantSlug, plan, ...(partnerSlug && { partnerSlug }), ...(environment && { environment }) }
      this.#source.checkSubject(subject)
      return tenantSlug === slug ? Object.freeze(subject) : undefined
    } catch {
      return undefined
    }
  }

  #insert(slug: string, cached: CachedSubject): void {
    this.#cached.delete(slug)
    if (this.#cached.size === MAX_SUBJECTS) this.#cached.delete(this.#cached.keys().next().value as string)
    this.#cached.set(slug, cached)
  }

  #forget(slug: string): never {
    this.#cached.delete(slug)
    throw slugError('unknown_tenant', 'no tenant has this slug, or the key does not cover it')
  }
}

const slugError = (code: 'invalid_slug' | 'unknown_tenant', message: string): DezkyError => new DezkyError([{ code, path: '/slug', message }])

/** Resolves to the requested subject, or to the cached one if the request is slow. */
function withPatience(request: Promise<Subject>, cached: Subject): Promise<Subject> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, PATIENCE, cached)
    request.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
