/** Follows the server: one fetch at a time, a stream that says when, and a check-in where the stream is quiet. */
import { Backoff } from './backoff.js'
import type { Settings } from './options.js'
import { type Announcement, announcementOf, EventReader } from './stream.js'
import { Nap } from './timing.js'
import { type Trouble, troubleOf } from './trouble.js'
import type { Answer, Wire } from './wire.js'

/** On whose behalf a follower asks, and whom it tells. */
export interface Followed {
  /** The digest of what need not be sent again, whether or not it is evaluated with. */
  readonly known: string | undefined
  readonly evaluating: string | undefined
  /** Takes an answer, or throws a Trouble. */
  take(answer: Answer): void
  /** What an event of the stream says. */
  hear(announcement: Announcement): void
  /** What is wrong with fetching or with the stream now; nothing where it works again. */
  tell(about: 'fetch' | 'stream', trouble: Trouble | undefined): void
}

export class Follower {
  readonly #wire: Wire
  readonly #settings: Settings
  readonly #followed: Followed
  readonly #fetchBackoff: Backoff
  readonly #streamBackoff: Backoff
  readonly #spacing = new Nap()
  readonly #fetchNap = new Nap()
  readonly #streamNap = new Nap()
  #isEnded = false
  #isFetching = false
  #isWanted = false
  /** The digest that was announced since the last fetch began, or any: what that fetch brings may be older. At the start it is any. */
  #announced: string | undefined = ''
  /** The nap before a fetch is one that the server asked for. */
  #isHeldOff = false
  /** How many fetches in a row brought something else than the one before. */
  #unconfirmed = 0
  #started = -Infinity
  #checkIn: ReturnType<typeof setTimeout> | undefined
  #waiting: (() => void)[] = []

  constructor(wire: Wire, settings: Settings, followed: Followed) {
    this.#wire = wire
    this.#settings = settings
    this.#followed = followed
    this.#fetchBackoff = new Backoff(settings)
    this.#streamBackoff = new Backoff(settings)
  }

  /** Goes on until `end`. */
  async start(): Promise<void> {
    while (!this.#isEnded) {
      await this.#fetched()
      if (this.#isEnded) return
      const trouble = await this.#followStream()
      if (this.#isEnded) return
      // A fetch finds out whether the key is refused for everything.
      if (trouble?.isRefusal) this.#want()
      await this.#streamNap.take(this.#streamBackoff.next(trouble))
    }
  }

  /** Leaves no timer behind. What is under way on the wire is ended by who made the wire. */
  end(): void {
    this.#isEnded = true
    clearTimeout(this.#checkIn)
    for (const nap of [this.#spacing, this.#fetchNap, this.#streamNap]) nap.cut()
    this.#resolve(this.#waiting)
  }

  /** When a fetch that begins from now on has succeeded. */
  #fetched(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#want()
    })
  }

  #want(): void {
    this.#isWanted = true
    clearTimeout(this.#checkIn)
    if (!this.#isFetching) void this.#fetch()
  }

  /** Fetches as often as is wanted, and until the server was told what is evaluated with. */
  async #fetch(): Promise<void> {
    this.#isFetching = true
    let wait = this.#settings.spacing
    this.#unconfirmed = 0
    while (this.#isWanted && !this.#isEnded) {
      const early = this.#started + wait - performance.now()
      if (early > 0 || this.#unconfirmed) await this.#spacing.take(Math.max(early, 0))
      if (this.#isEnded) break
      this.#isWanted = false
      this.#started = performance.now()
      wait = this.#settings.spacing
      const isConfirmed = await this.#fetchOnce()
      if (isConfirmed) this.#unconfirmed = 0
      else if (isConfirmed === false) {
        // At once, which is when the connection is free again; but servers that contradict each other must not be asked without end.
        this.#isWanted = true
        if (this.#unconfirmed++) await this.#rest()
        else wait = 0
      }
    }
    this.#isFetching = false
    const { pollInterval } = this.#settings
    if (!this.#isEnded) this.#checkIn = setTimeout(() => this.#want(), pollInterval * (0.8 + Math.random() * 0.4))
  }

  /** Whether the server knows now what is evaluated with; nothing after a failure, when it is asked again, but not at once. */
  async #fetchOnce(): Promise<boolean | undefined> {
    const { known, evaluating } = this.#followed
    const waiting = this.#waiting.splice(0)
    const cause = this.#announced
    const parting = cause === undefined || cause === evaluating
    this.#announced = undefined
    try {
      const answer = await this.#wire.fetchSnapshot({ known, evaluating, parting })
      if (!this.#isEnded) this.#followed.take(answer)
    } catch (thrown) {
      this.#waiting.push(...waiting)
      this.#isWanted = true
      const trouble = troubleOf(thrown)
      if (!this.#isEnded) this.#followed.tell('fetch', trouble)
      if (this.#isEnded) this.#resolve(this.#waiting)
      else await this.#rest(trouble)
      return undefined
    }
    this.#resolve(waiting)
    if (this.#isEnded) return undefined
    this.#followed.tell('fetch', undefined)
    const isConfirmed = evaluating === this.#followed.evaluating
    if (isConfirmed) this.#fetchBackoff.reset()
    else if ((this.#announced ?? cause) === this.#followed.evaluating) this.#agree()
    return isConfirmed
  }

  /** Before another fetch. News end that wait, also those that came during the last; unless the server asked for it. */
  async #rest(trouble?: Trouble): Promise<void> {
    const time = this.#fetchBackoff.next(trouble)
    const isHeldOff = trouble !== undefined && trouble.retryAfter > 0
    if (this.#announced !== undefined && !isHeldOff) return
    this.#isHeldOff = isHeldOff
    await this.#fetchNap.take(time)
    this.#isHeldOff = false
  }

  #resolve(waiting: (() => void)[]): void {
    for (const resolve of waiting.splice(0)) resolve()
  }

  /** Reads one stream to its end; answers why it did not open, if it did not. */
  async #followStream(): Promise<Trouble | undefined> {
    const reader = new EventReader()
    let settling: ReturnType<typeof setTimeout> | undefined
    let events = 0
    try {
      for await (const text of this.#wire.readStream(this.#followed.evaluating)) {
        this.#followed.tell('stream', undefined)
        settling ??= setTimeout(() => this.#streamBackoff.reset(), this.#settings.settled)
        for (const data of reader.read(text)) {
          // The first comes with every connection, and says nothing about how long it will last.
          if (events++) this.#streamBackoff.reset()
          const announcement = announcementOf(data)
          const { digest } = announcement
          this.#followed.hear(announcement)
          if (digest !== this.#followed.evaluating) this.#announce(digest)
          else if (events > 1) this.#agree()
        }
      }
      return undefined
    } catch (thrown) {
      // A stream that ends is nothing unusual, however it ends. One that does not open is.
      if (settling || this.#isEnded) return undefined
      const trouble = troubleOf(thrown)
      this.#followed.tell('stream', trouble)
      return trouble
    } finally {
      clearTimeout(settling)
    }
  }

  /** What was fetched is what has just been announced: it was news that brought something else each time, no contradiction. */
  #agree(): void {
    if (this.#isHeldOff || !this.#unconfirmed) return
    this.#unconfirmed = 0
    this.#fetchBackoff.reset()
    this.#fetchNap.cut()
  }

  /** There is something new: no reason to wait on, unless the server asked for it. */
  #announce(digest = ''): void {
    this.#announced = digest
    this.#fetchBackoff.reset()
    this.#want()
    if (!this.#isHeldOff) this.#fetchNap.cut()
  }
}
