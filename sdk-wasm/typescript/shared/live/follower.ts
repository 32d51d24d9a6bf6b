/**
 * The loops that follow the server: fetches one at a time, and the stream that announces changes.
 */
import { Backoff, jitter } from './backoff.js'
import { type ClientError, toClientError } from './client-error.js'
import { CancellableDelay } from './delay.js'
import type { Http, SnapshotResponse } from './http.js'
import type { Settings } from './options.js'
import { type Announcement, EventReader, parseAnnouncement } from './stream.js'

/** The client that a follower works for. */
export interface Followed {
  /** The digest for `If-None-Match`. */
  readonly known: string | undefined
  /** The digest of the snapshot that the client evaluates with. */
  readonly inUse: string | undefined
  /** Takes over a response, or throws a `ClientError`. */
  accept(response: SnapshotResponse): void
  /** Receives every announcement of the stream. */
  notePopulation(announcement: Announcement): void
  reportProblem(source: 'fetch' | 'stream', error: ClientError): void
  clearProblem(source: 'fetch' | 'stream'): void
}

/**
 * The state of the fetch loop. In `heldOff` it waits for the server's `Retry-After`, which
 * announcements do not shorten. In `fetching` it sends a request, or waits for another reason.
 */
type FetchState = 'idle' | 'fetching' | 'heldOff' | 'ended'

export class Follower {
  readonly #http: Http
  readonly #settings: Settings
  readonly #followed: Followed
  readonly #fetchBackoff: Backoff
  readonly #streamBackoff: Backoff
  readonly #spacing = new CancellableDelay()
  readonly #fetchDelay = new CancellableDelay()
  readonly #streamDelay = new CancellableDelay()
  #state: FetchState = 'idle'
  #isFetchNeeded = false
  /**
   * The digest that was announced since the last fetch began; empty if it is unknown. At the start
   * it is unknown.
   */
  #announced: string | undefined = ''
  /** `true` if the last fetch swapped the rules, and the server does not know yet. */
  #isConfirming = false
  #started = -Infinity
  #pollTimer: ReturnType<typeof setTimeout> | undefined
  /** The callers that wait for a success. */
  #waiting: (() => void)[] = []

  constructor(http: Http, settings: Settings, followed: Followed) {
    this.#http = http
    this.#settings = settings
    this.#followed = followed
    this.#fetchBackoff = new Backoff(settings)
    this.#streamBackoff = new Backoff(settings)
  }

  /**
   * Reads the stream until `end`, and fetches before each connection, so that no change is missed.
   */
  async run(): Promise<void> {
    while (!this.#isEnded) {
      await this.#nextSuccess()
      if (this.#isEnded) return
      const error = await this.#readStream()
      if (this.#isEnded) return
      // A fetch finds out whether the key is refused for everything.
      if (error?.isRefusal) this.#requestFetch()
      await this.#streamDelay.wait(this.#streamBackoff.next(error))
    }
  }

  /** Clears every timer. The owner of `Http` aborts the requests. */
  end(): void {
    this.#state = 'ended'
    clearTimeout(this.#pollTimer)
    for (const delay of [this.#spacing, this.#fetchDelay, this.#streamDelay]) delay.cancel()
    this.#resolve(this.#waiting)
  }

  get #isEnded(): boolean {
    return this.#state === 'ended'
  }

  /** Resolves when a fetch that starts from now on has succeeded. */
  #nextSuccess(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#requestFetch()
    })
  }

  #requestFetch(): void {
    this.#isFetchNeeded = true
    clearTimeout(this.#pollTimer)
    if (this.#state === 'idle') void this.#runFetches()
  }

  /** Fetches until no fetch is needed and the server knows which snapshot is in use. */
  async #runFetches(): Promise<void> {
    this.#state = 'fetching'
    let wait = this.#settings.spacing
    this.#isConfirming = false
    while (this.#isFetchNeeded && !this.#isEnded) {
      const early = this.#started + wait - performance.now()
      if (early > 0 || this.#isConfirming) await this.#spacing.wait(Math.max(early, 0))
      if (this.#isEnded) return
      this.#isFetchNeeded = false
      this.#started = performance.now()
      wait = this.#settings.spacing
      const isConfirmed = await this.#fetchOnce()
      if (isConfirmed) this.#isConfirming = false
      else if (isConfirmed === false) {
        this.#isFetchNeeded = true
        const wasConfirming = this.#isConfirming
        this.#isConfirming = true
        // The first swap is confirmed at once. After that, servers that contradict each other must
        // not cause an endless loop.
        if (wasConfirming) await this.#backOff()
        else wait = 0
      }
    }
    if (this.#isEnded) return
    this.#state = 'idle'
    this.#pollTimer = setTimeout(() => this.#requestFetch(), jitter(this.#settings.pollInterval))
  }

  /**
   * Sends one request. Returns whether the server now knows which snapshot is in use; `undefined`
   * after a failure and its backoff.
   */
  async #fetchOnce(): Promise<boolean | undefined> {
    const { known, inUse } = this.#followed
    const waiting = this.#waiting.splice(0)
    const cause = this.#announced
    const closesConnection = cause === undefined || cause === inUse
    this.#announced = undefined
    try {
      const response = await this.#http.fetchSnapshot({ known, inUse, closesConnection })
      if (!this.#isEnded) this.#followed.accept(response)
    } catch (thrown) {
      this.#waiting.push(...waiting)
      this.#isFetchNeeded = true
      const error = toClientError(thrown)
      if (!this.#isEnded) this.#followed.reportProblem('fetch', error)
      if (this.#isEnded) this.#resolve(this.#waiting)
      else await this.#backOff(error)
      return undefined
    }
    this.#resolve(waiting)
    if (this.#isEnded) return undefined
    this.#followed.clearProblem('fetch')
    const isConfirmed = inUse === this.#followed.inUse
    if (isConfirmed) this.#fetchBackoff.reset()
    else if ((this.#announced ?? cause) === this.#followed.inUse) this.#confirmSoon()
    return isConfirmed
  }

  /**
   * Waits before another fetch. An announcement ends the wait, unless it is the server's
   * `Retry-After`.
   */
  async #backOff(error?: ClientError): Promise<void> {
    const time = this.#fetchBackoff.next(error)
    const isHeldOff = error !== undefined && error.retryAfter > 0
    if (this.#announced !== undefined && !isHeldOff) return
    if (isHeldOff) this.#state = 'heldOff'
    await this.#fetchDelay.wait(time)
    if (!this.#isEnded) this.#state = 'fetching'
  }

  #resolve(waiting: (() => void)[]): void {
    for (const resolve of waiting.splice(0)) resolve()
  }

  /** Reads one stream to its end. Returns the error if the stream did not open. */
  async #readStream(): Promise<ClientError | undefined> {
    const reader = new EventReader()
    let settling: ReturnType<typeof setTimeout> | undefined
    let events = 0
    try {
      for await (const text of this.#http.readStream(this.#followed.inUse)) {
        this.#followed.clearProblem('stream')
        settling ??= setTimeout(() => this.#streamBackoff.reset(), this.#settings.settled)
        for (const data of reader.read(text)) {
          // The first event comes with every connection, so it does not prove a stable stream.
          if (events++) this.#streamBackoff.reset()
          const announcement = parseAnnouncement(data)
          const { digest } = announcement
          this.#followed.notePopulation(announcement)
          if (digest !== this.#followed.inUse) this.#announce(digest)
          else if (events > 1) this.#confirmSoon()
        }
      }
      return undefined
    } catch (thrown) {
      // Only a stream that does not open is a problem. An open stream may end in any way.
      if (settling || this.#isEnded) return undefined
      const error = toClientError(thrown)
      this.#followed.reportProblem('stream', error)
      return error
    } finally {
      clearTimeout(settling)
    }
  }

  /**
   * The fetched snapshot is the announced one, so the swaps in a row were changes and not a
   * contradiction between servers. The confirmation then need not wait for the backoff.
   */
  #confirmSoon(): void {
    if (this.#state === 'heldOff' || !this.#isConfirming) return
    this.#isConfirming = false
    this.#fetchBackoff.reset()
    this.#fetchDelay.cancel()
  }

  /** Requests a fetch of the announced snapshot and ends the backoff, but not a `Retry-After`. */
  #announce(digest = ''): void {
    this.#announced = digest
    this.#fetchBackoff.reset()
    this.#requestFetch()
    if (this.#state !== 'heldOff') this.#fetchDelay.cancel()
  }
}
