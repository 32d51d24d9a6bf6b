/** Subjects of tenants, as the server has them: cached, and asked for again when the population has moved. */
import { DezkyError, fail } from '../error.js'
import type { Subject } from '../types.js'
import { isSlug } from './options.js'
import { Trouble } from './trouble.js'

/** As many subjects are kept. One takes some hundred bytes. */
const MAX_SUBJECTS = 4_096
/** As many subjects are asked for at once. */
const MAX_REQUESTS = 8
/** The server is waited for so long with a subject whose last known version is at hand. */
const PATIENCE = 1_000
/** After a failure, the last known subject is handed out for so long before the server is asked again. */
const PAUSE = 1_000

/** The server's answer about one tenant; without a body, the subject is still that of the tag. */
export interface SubjectAnswer {
  readonly body: string | undefined
  readonly tag: string | undefined
}

/** On whose behalf subjects are resolved. */
export interface Source {
  /** Throws if this is no subject. */
  check(subject: Subject): void
  /** The server is away, refuses the key, or the client is closed: what is known is handed out without asking. */
  readonly isAway: boolean
  /** Asks for a subject, unless it is that of the tag; nothing where there is no such tenant. Throws a Trouble. */
  fetchSubject(slug: string, tag: string | undefined): Promise<SubjectAnswer | undefined>
}

interface Kept {
  readonly subject: Subject
  readonly tag: string | undefined
  /** The generation in which the server was asked. */
  readonly generation: number
  /** After a failure: no earlier than this is the server asked again. */
  readonly pauseUntil: number
}

export class Subjects {
  readonly #source: Source
  readonly #kept = new Map<string, Kept>()
  readonly #requests = new Map<string, Promise<Subject>>()
  readonly #queue: (() => void)[] = []
  #running = 0
  /** Where the population stood when the server last said so, and how often it has moved. */
  #population: string | undefined
  #generation = 0

  constructor(source: Source) {
    this.#source = source
  }

  /** If the population moved, every subject is asked for again before it is next handed out. */
  note(population: string | undefined): void {
    if (population === undefined || population === this.#population) return
    this.#population = population
    this.#generation++
  }

  async resolve(slug: string): Promise<Subject> {
    if (!isSlug(slug)) return fail('invalid_slug', '/slug')
    const kept = this.#kept.get(slug)
    const isFresh = kept && ((kept.generation && kept.generation === this.#generation) || performance.now() < kept.pauseUntil)
    if (kept && (isFresh || this.#source.isAway)) return kept.subject
    let request = this.#requests.get(slug)
    if (!request) {
      request = this.#request(slug, kept).finally(() => this.#requests.delete(slug))
      this.#requests.set(slug, request)
    }
    return kept ? soon(request, kept.subject) : request
  }

  async #request(slug: string, kept: Kept | undefined): Promise<Subject> {
    if (this.#running === MAX_REQUESTS) await new Promise<void>((resolve) => this.#queue.push(resolve))
    this.#running++
    const generation = this.#generation
    try {
      const answer = await this.#source.fetchSubject(slug, kept?.tag)
      if (!answer) return this.#forget(slug)
      const { body, tag = kept?.tag } = answer
      const subject = body === undefined ? kept?.subject : this.#read(body, slug)
      if (!subject) throw new Trouble('unexpected_status', 'the answer is no subject')
      this.#keep(slug, { subject, tag, generation, pauseUntil: 0 })
      return subject
    } catch (thrown) {
      if (!kept || !(thrown instanceof Trouble)) throw thrown
      this.#keep(slug, { ...kept, pauseUntil: performance.now() + Math.max(PAUSE, thrown.retryAfter) })
      return kept.subject
    } finally {
      this.#running--
      this.#queue.shift()?.()
    }
  }

  /** The subject of this tenant in an answer. Members that this version does not know are ignored. */
  #read(body: string, slug: string): Subject | undefined {
    try {
      const given: Subject = Object.assign(Object.create(null), JSON.parse(body))
      const { tenantId, tenantSlug, plan, partnerSlug, environment } = given
      const subject = { tenantId, tenantSlug, plan, ...(partnerSlug && { partnerSlug }), ...(environment && { environment }) }
      this.#source.check(subject)
      return tenantSlug === slug ? Object.freeze(subject) : undefined
    } catch {
      return undefined
    }
  }

  #keep(slug: string, kept: Kept): void {
    this.#kept.delete(slug)
    if (this.#kept.size === MAX_SUBJECTS) this.#kept.delete(this.#kept.keys().next().value as string)
    this.#kept.set(slug, kept)
  }

  #forget(slug: string): never {
    this.#kept.delete(slug)
    const message = 'no tenant has this slug, or none that the key covers'
    throw new DezkyError([{ code: 'unknown_tenant', path: '/slug', message }])
  }
}

/** The subject, or the last known one if it takes long. */
function soon(request: Promise<Subject>, known: Subject): Promise<Subject> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, PATIENCE, known)
    request.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
