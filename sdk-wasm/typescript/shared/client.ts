/// <reference lib="esnext.disposable" preserve="true" />
/** The live client: a server's rules, kept up to date in this process or page. */
import type { Flags } from './flags.js'
import type { ClientEvents, ClientStatus } from './live/events.js'
import { emptySnapshot } from './live/loaded-snapshot.js'
import type { Session } from './live/session.js'
import type { Ruleset } from './ruleset.js'
import type { Document, Subject } from './types.js'

/**
 * A connection to a server that keeps its rules up to date; `connect` creates one. Reading never
 * waits and costs the same as reading a ruleset.
 */
export class Client<Key extends string = string> {
  #ruleset: Ruleset<Key> = emptySnapshot<Key>().rules
  readonly #session: Session<Key>

  /** @internal */
  constructor(session: Session<Key>) {
    this.#session = session
    session.onSwap = (rules) => {
      this.#ruleset = rules
    }
  }

  /** The current ruleset. A change replaces it with another one; the old one stays readable. */
  get ruleset(): Ruleset<Key> {
    return this.#ruleset
  }

  /** Evaluates every flag for one tenant. */
  forTenant(subject: Document<Subject>): Flags<Key> {
    return this.#ruleset.forTenant(subject)
  }

  /** Evaluates one flag for one tenant. */
  isEnabled(key: Key, subject: Document<Subject>): boolean {
    return this.#ruleset.isEnabled(key, subject)
  }

  /**
   * Resolves a tenant's slug to its subject. The first call for a tenant asks the server. Later
   * calls are answered from a cache until the server announces a change to a tenant or partner. If
   * the server does not answer, the cached subject is returned. Rejects with the code
   * `invalid_slug` or `unknown_tenant`, or with the reason why the server could not be asked about
   * a tenant that is not cached.
   */
  subject(slug: string): Promise<Subject> {
    return this.#session.subjects.resolve(slug)
  }

  /**
   * The state of the connection. While it is `refused`, the client retries at growing intervals;
   * after `closed`, it does nothing. The rules stay readable in every state.
   */
  get status(): ClientStatus {
    return this.#session.status
  }

  /** Registers a handler for an event. Returns a function that removes it. */
  on<Name extends keyof ClientEvents>(event: Name, handler: (event: ClientEvents<Key>[Name]) => unknown): () => void {
    return this.#session.emitter.on(event, handler)
  }

  /**
   * Ends every timer, connection and request, and emits no more events. The last rules stay
   * readable. One last request signs off, so that the server stops waiting for this instance. The
   * promise resolves when that request ends, after one second at most, and never rejects.
   */
  close(): Promise<void> {
    return this.#session.close()
  }

  [Symbol.dispose](): void {
    void this.close()
  }
}
