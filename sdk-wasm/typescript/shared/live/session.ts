/** A client between `connect` and `close`: the rules in use, the phase, and the problems. */
import type { Ruleset } from '../ruleset.js'
import type { Subject } from '../types.js'
import type { ClientError } from './client-error.js'
import { type ClientStatus, Emitter } from './events.js'
import { FileWriter } from './file.js'
import { type Followed, Follower } from './follower.js'
import { Http, type SnapshotResponse } from './http.js'
import { changesBetween, emptySnapshot, judge, type LoadedSnapshot } from './loaded-snapshot.js'
import type { Settings } from './options.js'
import { after, isAway, type Phase, type PhaseEvent, statusOf } from './phase.js'
import type { FileStore, Platform } from './platform.js'
import type { Announcement } from './stream.js'
import { SubjectCache, type SubjectResponse, type SubjectSource } from './subject-cache.js'

/** A source of problems. Each source has at most one problem at a time. */
export type ProblemSource = 'fetch' | 'stream' | 'file'

export class Session<Key extends string> implements Followed, SubjectSource {
  /** Called with the new ruleset whenever other rules come into use. */
  onSwap: (rules: Ruleset<Key>) => void = () => {}
  readonly emitter = new Emitter<Key>()
  readonly subjects = new SubjectCache(this)
  readonly #settings: Settings
  readonly #http: Http
  readonly #follower: Follower
  readonly #writer: FileWriter | undefined
  readonly #closing = new AbortController()
  readonly #empty = emptySnapshot<Key>()
  #phase: Phase = 'connecting'
  /** The snapshot in use; `undefined` while there are no flags. */
  #inUse: LoadedSnapshot<Key> | undefined
  /** The snapshot for `If-None-Match`. */
  #known: LoadedSnapshot<Key> | undefined
  /** The last snapshot from a server. Older revisions of its history are rejected. */
  #latest: LoadedSnapshot<Key> | undefined
  /** The time when the server last confirmed the rules. */
  #confirmed = performance.now()
  #staleTimer: ReturnType<typeof setTimeout> | undefined
  readonly #problems: { [source in ProblemSource]?: ClientError | undefined } = {}
  #endsConnect: (error: ClientError) => boolean = () => false
  #finishConnect: (error: ClientError | undefined) => void = () => {}
  #signOff: Promise<void> | undefined

  constructor(settings: Settings, platform: Platform, file: FileStore | undefined) {
    this.#settings = settings
    this.#writer = file && new FileWriter(file, (error) => (error ? this.reportProblem('file', error) : this.clearProblem('file')))
    this.#http = new Http(settings, platform, this.#closing.signal)
    this.#follower = new Follower(this.#http, settings, this)
  }

  get status(): ClientStatus {
    return statusOf(this.#phase)
  }

  get known(): string | undefined {
    return this.#known?.rules.digest
  }

  get inUse(): string | undefined {
    return this.#inUse?.rules.digest
  }

  checkSubject(subject: Subject): void {
    const { rules } = this.#inUse ?? this.#empty
    rules.forTenant(subject)
  }

  get isAway(): boolean {
    return isAway(this.#phase)
  }

  fetchSubject(slug: string, tag: string | undefined): Promise<SubjectResponse | undefined> {
    return this.#http.fetchSubject(slug, tag)
  }

  /**
   * Expires the cached subjects if the population changed. The server does not announce the
   * population of a slice. There the digest serves instead: it changes with every decision of the
   * tenant.
   */
  notePopulation({ digest, population }: Announcement): void {
    this.subjects.notePopulation(this.#settings.tenant === undefined ? population : digest)
  }

  /** The current problem of fetches. */
  get fetchProblem(): ClientError | undefined {
    return this.#problems.fetch
  }

  /** Sets the snapshots that the client has before the server answers. */
  setKnown(known: LoadedSnapshot<Key>, latest: LoadedSnapshot<Key>): void {
    this.#known = known
    this.#latest = latest
  }

  /**
   * Starts to follow the server. Resolves to `undefined` after the first success, or to the first
   * error for which `endsConnect` is true, because waiting would not help.
   */
  follow(endsConnect: (error: ClientError) => boolean): Promise<ClientError | undefined> {
    this.#endsConnect = endsConnect
    const finished = new Promise<ClientError | undefined>((resolve) => (this.#finishConnect = resolve))
    void this.#follower.run()
    return finished
  }

  /** Starts with this snapshot, or without flags, before the server has answered. */
  start(snapshot: LoadedSnapshot<Key> | undefined): void {
    this.#inUse = snapshot
    this.#transition('started')
    if (snapshot) {
      this.onSwap(snapshot.rules)
      this.emitter.emit('ready', { revision: snapshot.rules.revision })
    }
    this.#restartStaleTimer()
  }

  /** Marks the rules as stale, because the server has not confirmed them for `age`. */
  expire(age: number): void {
    clearTimeout(this.#staleTimer)
    if (this.status !== 'ready') return
    this.#transition('expired')
    this.emitter.emit('stale', { age })
  }

  accept(response: SnapshotResponse): void {
    const [status, before] = [this.status, this.#inUse]
    const snapshot = judge(response, this.#known, this.#latest)
    const keys = status === 'connecting' ? [] : changesBetween(before ?? this.#empty, snapshot)
    if (snapshot !== this.#known) void this.#writer?.write(snapshot)
    this.#inUse = this.#known = this.#latest = snapshot
    this.notePopulation({ digest: snapshot.rules.digest, ...(response.population !== undefined && { population: response.population }) })
    this.onSwap(snapshot.rules)
    this.#transition('succeeded')
    this.#confirmed = performance.now()
    this.#restartStaleTimer()
    const { revision } = snapshot.rules
    if (status !== 'ready') this.emitter.emit('ready', { revision })
    if (keys.length) this.emitter.emit('change', { revision, keys })
    this.#finishConnect(undefined)
  }

  /** Records the problem of a source. Emits an event unless some source already has this code. */
  reportProblem(source: ProblemSource, error: ClientError): void {
    if (this.status === 'closed') return
    const isReported = Object.values(this.#problems).some((problem) => problem?.code === error.code)
    this.#problems[source] = error
    if (source === 'fetch') {
      this.#transition(error.isRefusal ? 'refused' : 'failed')
      if (error.isRefusal) clearTimeout(this.#staleTimer)
    }
    if (!isReported) this.emitter.emit('error', error.problem)
    if (source === 'fetch' && this.#endsConnect(error)) this.#finishConnect(error)
  }

  clearProblem(source: ProblemSource): void {
    if (this.status !== 'closed') this.#problems[source] = undefined
  }

  /**
   * Ends every timer and request, and emits no more events. Resolves when the server knows that
   * this instance is gone, within a second.
   */
  close(): Promise<void> {
    return (this.#signOff ??= this.#close())
  }

  #close(): Promise<void> {
    const { inUse } = this
    this.emitter.close()
    this.#transition('closed')
    clearTimeout(this.#staleTimer)
    this.#follower.end()
    this.#closing.abort()
    return this.#phase === 'signingOff' && inUse ? this.#http.signOff(inUse) : Promise.resolve()
  }

  #transition(event: PhaseEvent): void {
    this.#phase = after(this.#phase, event)
  }

  #restartStaleTimer(): void {
    clearTimeout(this.#staleTimer)
    if (this.status !== 'ready') return
    this.#staleTimer = setTimeout(() => this.expire(performance.now() - this.#confirmed), this.#settings.staleAfter)
  }
}
