/** The requests that a client makes. */
import { isKey, type Settings } from './options.js'
import type { Platform } from './platform.js'
import type { SubjectAnswer } from './subjects.js'
import { Limit } from './timing.js'
import { Trouble, troubleOf } from './trouble.js'

/** Core's largest document. */
const MAX_BODY_BYTES = 32 << 20
/** As much of a refusal is read as tells why. */
const MAX_REFUSAL_BYTES = 16 << 10
/** The server's codes for tenants that are not there for this key. */
const GONE = ['denied_tenant_terminated', 'denied_key_scope', 'denied_not_member']
/** For the last request of a client that is closed. */
const SIGN_OFF = 1_000

/** What a client has, as it says in a request. */
export interface Standing {
  /** Of the snapshot that it need not be sent again. */
  readonly known: string | undefined
  /** Of what it evaluates with. */
  readonly evaluating: string | undefined
  /** Whether another request may follow soon. */
  readonly parting: boolean
}

/** A body where it is another snapshot than the one that was known. */
export interface Answer {
  readonly body: Uint8Array | undefined
  /** What the ETag says, without its quotes. */
  readonly digest: string | undefined
  readonly history: string
  /** The newest revision that changed a tenant or a partner, where it is said. */
  readonly population: string | undefined
}

export class Wire {
  readonly #settings: Settings
  readonly #platform: Platform
  readonly #ending: AbortSignal

  /** Whatever is under way ends with `ending`. */
  constructor(settings: Settings, platform: Platform, ending: AbortSignal) {
    this.#settings = settings
    this.#platform = platform
    this.#ending = ending
  }

  /** Asks for the snapshot. Whatever goes wrong is thrown as a Trouble. */
  async fetchSnapshot(standing: Standing): Promise<Answer> {
    const limit = new Limit(this.#ending)
    limit.prolong(this.#settings.requestTimeout)
    try {
      const condition = standing.known ? { 'if-none-match': `"${standing.known}"` } : {}
      const response = await this.#request(this.#place(''), { ...this.#naming(standing), ...condition }, limit)
      const isUnchanged = response.status === 304 && standing.known !== undefined
      if (response.status !== 200 && !isUnchanged) throw await refusal(response, limit)
      const digest = response.headers.get('etag')?.match(/^(?:W\/)?"(.*)"$/)?.[1]
      const history = response.headers.get('dezky-history') ?? ''
      const population = response.headers.get('dezky-population') ?? undefined
      return { body: isUnchanged ? undefined : await limit.hold(readBody(response, MAX_BODY_BYTES)), digest, history, population }
    } catch (thrown) {
      throw troubleOf(thrown)
    } finally {
      limit.end()
    }
  }

  /** Asks for the subject of a tenant, unless it is that of the tag. Nothing where there is no such tenant; what else goes wrong is a Trouble. */
  async fetchSubject(slug: string, tag: string | undefined): Promise<SubjectAnswer | undefined> {
    const limit = new Limit(this.#ending)
    limit.prolong(this.#settings.requestTimeout)
    try {
      const headers = { ...this.#naming({ evaluating: undefined, parting: true }), ...(tag && { 'if-none-match': tag }) }
      const response = await this.#request(`/tenants/${slug}/subject`, headers, limit)
      const { status } = response
      if (status === 200 || (status === 304 && tag)) {
        const body = status === 200 ? new TextDecoder().decode(await limit.hold(readBody(response, MAX_REFUSAL_BYTES))) : undefined
        return { body, tag: response.headers.get('etag') ?? undefined }
      }
      const trouble = await refusal(response, limit)
      if (status === 404 || GONE.includes(trouble.problem.serverCode ?? '')) return undefined
      throw trouble
    } catch (thrown) {
      throw troubleOf(thrown)
    } finally {
      limit.end()
    }
  }

  /** The last request of a client that is closed, so that nobody waits for it. It never fails. */
  async signOff(evaluating: string): Promise<void> {
    const limit = new Limit(new AbortController().signal)
    limit.prolong(SIGN_OFF)
    try {
      const naming = this.#naming({ evaluating, parting: true })
      const response = await this.#request(this.#place(''), { ...naming, 'if-none-match': `"${evaluating}"`, 'dezky-closing': '1' }, limit, this.#platform.closing)
      await response.body?.cancel()
    } catch {
      // The server forgets a client that says nothing.
    } finally {
      limit.end()
    }
  }

  /** Opens the stream of events and hands over its text, piece by piece, until it ends. It is closed when the caller stops reading. */
  async *readStream(evaluating: string | undefined): AsyncGenerator<string> {
    const limit = new Limit(this.#ending)
    limit.prolong(this.#settings.requestTimeout)
    try {
      const headers = { ...this.#naming({ evaluating, parting: true }), accept: 'text/event-stream' }
      const response = await this.#request(this.#place('/stream'), headers, limit)
      if (response.status !== 200) throw await refusal(response, limit)
      if (!response.body || !response.headers.get('content-type')?.startsWith('text/event-stream'))
        throw new Trouble('unexpected_status', 'the server answered 200 with something else than a stream')
      const decoder = new TextDecoder()
      const reader = response.body.getReader()
      // It is open: that is news, if no event yet.
      yield ''
      for (;;) {
        limit.prolong(this.#settings.silence)
        const { done, value } = await limit.hold(reader.read())
        if (done) return
        yield decoder.decode(value, { stream: true })
      }
    } finally {
      limit.end()
    }
  }

  #naming({ evaluating, parting }: Omit<Standing, 'known'>): Record<string, string> {
    return {
      'dezky-instance': this.#settings.instance,
      ...(evaluating && { 'dezky-digest': evaluating }),
      ...(parting && this.#platform.parting),
    }
  }

  /** Where the rules are, and the news of them. */
  #place(suffix: '' | '/stream'): string {
    const { tenant } = this.#settings
    return tenant === undefined ? `/flags${suffix || '/snapshot'}` : `/flags/slice${suffix}?tenant=${tenant}`
  }

  async #request(place: string, headers: Record<string, string>, limit: Limit, closing = {}): Promise<Response> {
    const key = await limit.hold(this.#askKey())
    // A key must not travel to wherever a redirect points.
    const request = { ...this.#platform.request, ...closing, redirect: 'manual' as const, signal: limit.signal }
    return limit.hold(fetch(this.#settings.base + place, { ...request, headers: { ...headers, authorization: `Bearer ${key}` } }))
  }

  async #askKey(): Promise<string> {
    let key: unknown
    try {
      key = await this.#settings.key()
    } catch (cause) {
      throw new Trouble('unreachable', 'the function that gives the key failed', { cause })
    }
    if (!isKey(key)) throw new Trouble('unreachable', 'the function that gives the key gave none')
    return key
  }
}

/** What a status means. Of a refusal of the key, the body says why. */
async function refusal(response: Response, limit: Limit): Promise<Trouble> {
  const { status } = response
  if (status === 401 || status === 403) {
    const serverCode = await limit.hold(readCode(response)).catch(() => undefined)
    return new Trouble('key_refused', `the server refuses the key: ${status} ${serverCode ?? ''}`.trim(), { serverCode })
  }
  response.body?.cancel().catch(() => {})
  const seconds = Number(response.headers.get('retry-after') || 0)
  const retryAfter = seconds > 0 ? seconds * 1000 : 0
  if (status === 429) return new Trouble('rate_limited', 'the server is asked too often', { retryAfter })
  // Browsers do not tell which redirect it was.
  return new Trouble('unexpected_status', `the server answered ${status || 'a redirect'}`, { retryAfter: status === 503 ? retryAfter : 0 })
}

/** The member `code` of a problem document. */
async function readCode(response: Response): Promise<string | undefined> {
  const { code } = Object(JSON.parse(new TextDecoder().decode(await readBody(response, MAX_REFUSAL_BYTES))))
  return typeof code === 'string' && /^\w{1,64}$/.test(code) ? code : undefined
}

async function readBody({ body }: Response, most: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let length = 0
  const reader = body?.getReader()
  for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
    length += read.value.length
    if (length > most) throw new Trouble('bad_snapshot', 'the answer is larger than is accepted')
    pieces.push(read.value)
  }
  const bytes = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}
