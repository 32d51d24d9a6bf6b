/** The requests that a client sends to the server. */
import { ClientError, toClientError } from './client-error.js'
import { isKey, type Settings } from './options.js'
import type { Platform } from './platform.js'
import type { SubjectResponse } from './subject-cache.js'
import { Timeout } from './timeout.js'

/** The largest document that core accepts. */
const MAX_BODY_BYTES = 32 << 20
/** The largest body of a refusal or a subject that is read. */
const MAX_SMALL_BODY_BYTES = 16 << 10
/** The server's codes for tenants that this key does not cover. */
const NOT_COVERED = ['denied_tenant_terminated', 'denied_key_scope', 'denied_not_member']
/** The timeout of the last request of a closing client, in milliseconds. */
const SIGN_OFF_TIMEOUT = 1_000

/** The parameters of a request for the snapshot. */
export interface SnapshotRequest {
  /** The digest for `If-None-Match`. */
  readonly known: string | undefined
  /** The digest of the snapshot that the client evaluates with, which the request reports. */
  readonly inUse: string | undefined
  /** `true` if the connection closes after the request, because no other request follows soon. */
  readonly closesConnection: boolean
}

/**
 * The server's response to a request for the snapshot. Without a body, the snapshot is unchanged.
 */
export interface SnapshotResponse {
  readonly body: Uint8Array | undefined
  /** The digest in the `ETag`. */
  readonly digest: string | undefined
  readonly history: string
  /** The newest revision that changed a tenant or a partner, if the server reported it. */
  readonly population: string | undefined
}

export class Http {
  readonly #settings: Settings
  readonly #platform: Platform
  readonly #closing: AbortSignal

  /** `closing` aborts every request. */
  constructor(settings: Settings, platform: Platform, closing: AbortSignal) {
    this.#settings = settings
    this.#platform = platform
    this.#closing = closing
  }

  /**
   * Requests the snapshot, unless it is still the one with the digest `known`. Rejects with a
   * `ClientError`.
   */
  async fetchSnapshot(request: SnapshotRequest): Promise<SnapshotResponse> {
    const timeout = new Timeout(this.#settings.requestTimeout, this.#closing)
    try {
      const condition = request.known ? { 'if-none-match': `"${request.known}"` } : {}
      const response = await this.#request(this.#path(''), { ...this.#headers(request), ...condition }, timeout)
      const isUnchanged = response.status === 304 && request.known !== undefined
      if (response.status !== 200 && !isUnchanged) throw await errorOf(response, timeout)
      const digest = response.headers.get('etag')?.match(/^(?:W\/)?"(.*)"$/)?.[1]
      const history = response.headers.get('dezky-history') ?? ''
      const population = response.headers.get('dezky-population') ?? undefined
      return { body: isUnchanged ? undefined : await timeout.race(readBody(response, MAX_BODY_BYTES)), digest, history, population }
    } catch (thrown) {
      throw toClientError(thrown)
    } finally {
      timeout.end()
    }
  }

  /**
   * Requests the subject of a tenant, unless it is still the one with this tag. Resolves to
   * `undefined` if the key covers no tenant with this slug. Rejects with a `ClientError`.
   */
  async fetchSubject(slug: string, tag: string | undefined): Promise<SubjectResponse | undefined> {
    const timeout = new Timeout(this.#settings.requestTimeout, this.#closing)
    try {
      const headers = { ...this.#headers({ inUse: undefined, closesConnection: true }), ...(tag && { 'if-none-match': tag }) }
      const response = await this.#request(`/tenants/${slug}/subject`, headers, timeout)
      const { status } = response
      if (status === 200 || (status === 304 && tag)) {
        const body = status === 200 ? new TextDecoder().decode(await timeout.race(readBody(response, MAX_SMALL_BODY_BYTES))) : undefined
        return { body, tag: response.headers.get('etag') ?? undefined }
      }
      const error = await errorOf(response, timeout)
      if (status === 404 || NOT_COVERED.includes(error.problem.serverCode ?? '')) return undefined
      throw error
    } catch (thrown) {
      throw toClientError(thrown)
    } finally {
      timeout.end()
    }
  }

  /**
   * Sends the last request of a closing client, so that the server no longer waits for this
   * instance. Never rejects.
   */
  async signOff(inUse: string): Promise<void> {
    const timeout = new Timeout(SIGN_OFF_TIMEOUT, new AbortController().signal)
    try {
      const headers = { ...this.#headers({ inUse, closesConnection: true }), 'if-none-match': `"${inUse}"`, 'dezky-closing': '1' }
      const response = await this.#request(this.#path(''), headers, timeout, this.#platform.signOffOptions)
      await response.body?.cancel()
    } catch {
      // Without this request, the server forgets the instance after a while.
    } finally {
      timeout.end()
    }
  }

  /**
   * Opens the event stream and yields its text in chunks. The stream closes when the caller stops
   * reading.
   */
  async *readStream(inUse: string | undefined): AsyncGenerator<string> {
    const timeout = new Timeout(this.#settings.requestTimeout, this.#closing)
    try {
      const headers = { ...this.#headers({ inUse, closesConnection: true }), accept: 'text/event-stream' }
      const response = await this.#request(this.#path('/stream'), headers, timeout)
      if (response.status !== 200) throw await errorOf(response, timeout)
      if (!response.body || !response.headers.get('content-type')?.startsWith('text/event-stream'))
        throw new ClientError('unexpected_status', 'the server answered 200, but not with an event stream')
      const decoder = new TextDecoder()
      const reader = response.body.getReader()
      // An empty chunk tells the caller that the stream is open.
      yield ''
      for (;;) {
        timeout.restart(this.#settings.silence)
        const { done, value } = await timeout.race(reader.read())
        if (done) return
        yield decoder.decode(value, { stream: true })
      }
    } finally {
      timeout.end()
    }
  }

  #headers({ inUse, closesConnection }: Omit<SnapshotRequest, 'known'>): Record<string, string> {
    return {
      'dezky-instance': this.#settings.instance,
      ...(inUse && { 'dezky-digest': inUse }),
      ...(closesConnection && this.#platform.closeHeaders),
    }
  }

  /** The path of the snapshot or of its stream. */
  #path(suffix: '' | '/stream'): string {
    const { tenant } = this.#settings
    return tenant === undefined ? `/flags${suffix || '/snapshot'}` : `/flags/slice${suffix}?tenant=${tenant}`
  }

  async #request(path: string, headers: Record<string, string>, timeout: Timeout, signOffOptions = {}): Promise<Response> {
    const key = await timeout.race(this.#readKey())
    // A redirect would take the key to another server.
    const options = { ...this.#platform.requestOptions, ...signOffOptions, redirect: 'manual' as const, signal: timeout.signal }
    return timeout.race(fetch(this.#settings.base + path, { ...options, headers: { ...headers, authorization: `Bearer ${key}` } }))
  }

  async #readKey(): Promise<string> {
    let key: unknown
    try {
      key = await this.#settings.key()
    } catch (cause) {
      throw new ClientError('unreachable', 'the key function failed', { cause })
    }
    if (!isKey(key)) throw new ClientError('unreachable', 'the key function returned no valid key')
    return key
  }
}

/**
 * Converts a response without a usable document to an error, with the server's code for a refusal.
 */
async function errorOf(response: Response, timeout: Timeout): Promise<ClientError> {
  const { status } = response
  if (status === 401 || status === 403) {
    const serverCode = await timeout.race(readCode(response)).catch(() => undefined)
    return new ClientError('key_refused', `the server refuses the key: ${status} ${serverCode ?? ''}`.trim(), { serverCode })
  }
  response.body?.cancel().catch(() => {})
  const seconds = Number(response.headers.get('retry-after') || 0)
  const retryAfter = seconds > 0 ? seconds * 1000 : 0
  if (status === 429) return new ClientError('rate_limited', 'the server asks for fewer requests', { retryAfter })
  // Browsers hide the status of a redirect.
  return new ClientError('unexpected_status', `the server answered ${status || 'a redirect'}`, { retryAfter: status === 503 ? retryAfter : 0 })
}

/** Returns the `code` of a problem document. */
async function readCode(response: Response): Promise<string | undefined> {
  const { code } = Object(JSON.parse(new TextDecoder().decode(await readBody(response, MAX_SMALL_BODY_BYTES))))
  return typeof code === 'string' && /^\w{1,64}$/.test(code) ? code : undefined
}

async function readBody({ body }: Response, max: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  const reader = body?.getReader()
  for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
    length += read.value.length
    if (length > max) throw new ClientError('bad_snapshot', 'the response is not a snapshot: it is too large')
    chunks.push(read.value)
  }
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return bytes
}
