/// <reference lib="esnext.disposable" preserve="true" />
/** The live client: the rules of a server, kept the newest in this process or page. */
import type { Flags } from './flags.js'
import type { ClientEvents, ClientStatus } from './live/events.js'
import { nothing } from './live/held.js'
import type { Live } from './live/live.js'
import type { Ruleset } from './ruleset.js'
import type { Document, Subject } from './types.js'

/** The rules of a server, kept the newest; `connect` makes one. Reading never waits, and costs what reading a ruleset costs. */
export class Client<Key extends string = string> {
  #ruleset: Ruleset<Key> = nothing<Key>().rules
  readonly #live: Live<Key>

  /** @internal */
  constructor(live: Live<Key>) {
    this.#live = live
    live.swap = (rules) => {
      this.#ruleset = rules
    }
  }

  /** The rules in force. They never change: newer ones are another ruleset, and whoever holds these can go on reading. */
  get ruleset(): Ruleset<Key> {
    return this.#ruleset
  }

  /** Every flag for one tenant. */
  forTenant(subject: Document<Subject>): Flags<Key> {
    return this.#ruleset.forTenant(subject)
  }

  /** One flag for one tenant. */
  isEnabled(key: Key, subject: Document<Subject>): boolean {
    return this.#ruleset.isEnabled(key, subject)
  }

  /**
   * The subject of a tenant by its slug, as the server has it. The first call for a tenant asks the server. Later ones are answered from memory,
   * until the server says that a tenant or a partner has changed. If the server does not answer, the last known subject is handed out. Rejects
   * with the code `invalid_slug` or `unknown_tenant`, or why the server could not be asked about a tenant that is not known yet.
   */
  subject(slug: string): Promise<Subject> {
    return this.#live.subjects.resolve(slug)
  }

  /** While it is `refused` the server is asked ever more rarely, and after `closed` nothing happens any more; the rules stay. */
  get status(): ClientStatus {
    return this.#live.status
  }

  /** Has a handler told of an event. What is returned takes it away again. */
  on<Name extends keyof ClientEvents>(event: Name, handler: (event: ClientEvents<Key>[Name]) => unknown): () => void {
    return this.#live.emitter.on(event, handler)
  }

  /**
   * Ends every timer, connection and request, and says nothing more. The last rules stay readable. Only the client's last request goes on,
   * which tells the server that nobody need wait for it: what is returned resolves when it is done, within a second, and never rejects.
   */
  close(): Promise<void> {
    return this.#live.close()
  }

  [Symbol.dispose](): void {
    void this.close()
  }
}
