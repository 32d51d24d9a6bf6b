/** What a client is between `connect` and `close`: which rules are in force, and how sure that is. */
import type { Ruleset } from '../ruleset.js'
import type { Subject } from '../types.js'
import { type ClientStatus, Emitter } from './events.js'
import { type Followed, Follower } from './follower.js'
import { changes, type Held, judge, nothing, Saver } from './held.js'
import type { Settings } from './options.js'
import type { Keeper, Platform } from './platform.js'
import type { Announcement } from './stream.js'
import { type Source, type SubjectAnswer, Subjects } from './subjects.js'
import type { Trouble } from './trouble.js'
import { type Answer, Wire } from './wire.js'

export class Live<Key extends string> implements Followed, Source {
  /** Takes the rules that are in force. */
  swap: (rules: Ruleset<Key>) => void = () => {}
  readonly emitter = new Emitter<Key>()
  readonly subjects = new Subjects(this)
  readonly #settings: Settings
  readonly #wire: Wire
  readonly #follower: Follower
  readonly #saver: Saver | undefined
  readonly #ending = new AbortController()
  #status: ClientStatus = 'connecting'
  /** What is evaluated with; nothing where there are no flags. */
  #inForce: Held<Key> | undefined
  /** What the server need not send again. */
  #known: Held<Key> | undefined
  /** What nothing older of the same history may follow. */
  #latest: Held<Key> | undefined
  #confirmed = performance.now()
  #staling: ReturnType<typeof setTimeout> | undefined
  /** What is wrong now. */
  readonly #troubles: { [about in 'fetch' | 'stream' | 'file']?: Trouble | undefined } = {}
  #isHopeless: (trouble: Trouble) => boolean = () => false
  #settle: (trouble: Trouble | undefined) => void = () => {}
  readonly #nothing = nothing<Key>()
  #hasAnswered = false
  #signedOff: Promise<void> | undefined

  constructor(settings: Settings, platform: Platform, keeper: Keeper | undefined) {
    this.#settings = settings
    this.#saver = keeper && new Saver(keeper, (trouble) => this.tell('file', trouble))
    this.#wire = new Wire(settings, platform, this.#ending.signal)
    this.#follower = new Follower(this.#wire, settings, this)
  }

  get status(): ClientStatus {
    return this.#status
  }

  get known(): string | undefined {
    return this.#known?.rules.digest
  }

  get evaluating(): string | undefined {
    return this.#inForce?.rules.digest
  }

  check(subject: Subject): void {
    const { rules } = this.#inForce ?? this.#nothing
    rules.forTenant(subject)
  }

  get isAway(): boolean {
    return this.#troubles.fetch !== undefined || this.#status === 'closed'
  }

  fetchSubject(slug: string, tag: string | undefined): Promise<SubjectAnswer | undefined> {
    return this.#wire.fetchSubject(slug, tag)
  }

  /** A slice does not tell of the population: its digest moves when its tenant is decided otherwise. */
  hear({ digest, population }: Announcement): void {
    this.subjects.note(this.#settings.tenant === undefined ? population : digest)
  }

  /** What is wrong with the server. */
  get trouble(): Trouble | undefined {
    return this.#troubles.fetch
  }

  /** What there is without the server. */
  remember(known: Held<Key>, latest: Held<Key>): void {
    this.#known = known
    this.#latest = latest
  }

  /** Begins to follow the server. Answers once that has succeeded, or with the first failure that is hopeless: waiting would not help. */
  follow(isHopeless: (trouble: Trouble) => boolean): Promise<Trouble | undefined> {
    this.#isHopeless = isHopeless
    const settled = new Promise<Trouble | undefined>((settle) => (this.#settle = settle))
    void this.#follower.start()
    return settled
  }

  /** Evaluates with what there is, or without any flags, though the server has not answered yet. */
  goOn(held: Held<Key> | undefined): void {
    this.#inForce = held
    if (this.#status === 'connecting') this.#status = 'ready'
    if (held) {
      this.swap(held.rules)
      this.emitter.emit('ready', { revision: held.rules.revision })
    }
    this.#awaitStale()
  }

  /** The server has not confirmed for so long what is evaluated with. */
  turnStale(age: number): void {
    clearTimeout(this.#staling)
    if (this.#status !== 'ready') return
    this.#status = 'stale'
    this.emitter.emit('stale', { age })
  }

  take(answer: Answer): void {
    const [was, before] = [this.#status, this.#inForce]
    const held = judge(answer, this.#known, this.#latest)
    const keys = was === 'connecting' ? [] : changes(before ?? this.#nothing, held)
    if (held !== this.#known) void this.#saver?.save(held)
    this.#inForce = this.#known = this.#latest = held
    this.hear({ digest: held.rules.digest, ...(answer.population !== undefined && { population: answer.population }) })
    this.swap(held.rules)
    this.#status = 'ready'
    this.#hasAnswered = true
    this.#confirmed = performance.now()
    this.#awaitStale()
    const { revision } = held.rules
    if (was !== 'ready') this.emitter.emit('ready', { revision })
    if (keys.length) this.emitter.emit('change', { revision, keys })
    this.#settle(undefined)
  }

  /** An event where what is wrong is something else than before. */
  tell(about: 'fetch' | 'stream' | 'file', trouble: Trouble | undefined): void {
    if (this.#status === 'closed') return
    const isNews = !Object.values(this.#troubles).some((known) => known && known.code === trouble?.code)
    this.#troubles[about] = trouble
    if (!trouble) return
    if (about === 'fetch' && trouble.isRefusal) {
      this.#status = 'refused'
      clearTimeout(this.#staling)
    }
    if (isNews) this.emitter.emit('error', trouble.problem)
    if (about === 'fetch' && this.#isHopeless(trouble)) this.#settle(trouble)
  }

  /** Everything that goes on is over, and no event comes any more. Answers when the server knows, or after a second. */
  close(): Promise<void> {
    return (this.#signedOff ??= this.#close())
  }

  #close(): Promise<void> {
    const { evaluating } = this
    const isKnown = this.#hasAnswered && !this.#troubles.fetch
    this.emitter.close()
    this.#status = 'closed'
    clearTimeout(this.#staling)
    this.#follower.end()
    this.#ending.abort()
    return isKnown && evaluating ? this.#wire.signOff(evaluating) : Promise.resolve()
  }

  #awaitStale(): void {
    clearTimeout(this.#staling)
    if (this.#status !== 'ready') return
    this.#staling = setTimeout(() => this.turnStale(performance.now() - this.#confirmed), this.#settings.staleAfter)
  }
}
