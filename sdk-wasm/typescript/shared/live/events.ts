/** The events of a client, and the emitter that calls their handlers. */
import { ClientError, type ClientProblem } from './client-error.js'

export type ClientStatus = 'connecting' | 'ready' | 'stale' | 'refused' | 'closed'

/**
 * The events of a client by name, with the argument of their handlers. Times are in milliseconds.
 */
export interface ClientEvents<Key extends string = string> {
  /**
   * The client has rules for the first time, or the server confirms them again after they were
   * stale or the key was refused.
   */
  ready: { readonly revision: number }
  /**
   * Other rules are in use now. `keys` are the flags that were changed, added or removed, sorted.
   */
  change: { readonly revision: number; readonly keys: readonly Key[] }
  /**
   * The server has not confirmed the rules for a while. `age` is the time since the last
   * confirmation.
   */
  stale: { readonly age: number }
  /**
   * The client has a problem. The event is emitted when the code changes, not for each attempt. For
   * `key_refused`, `serverCode` is the code in the server's response, if it had one. `fatal` is
   * always false: a client retries until it is closed.
   */
  error: ClientProblem
}

type Registration = { readonly handler: (event: never) => unknown }

/** Calls the handlers of events, one after another and in order. */
export class Emitter<Key extends string> {
  readonly #registrations: { readonly [name in keyof ClientEvents]: Set<Registration> } = {
    ready: new Set(), change: new Set(), stale: new Set(), error: new Set(),
  }
  #queue: (() => void)[] = []
  #opening: ReturnType<typeof setTimeout> | undefined
  #state: 'paused' | 'idle' | 'delivering' = 'paused'

  on<Name extends keyof ClientEvents>(name: Name, handler: (event: ClientEvents<Key>[Name]) => unknown): () => void {
    const registrations = Object.hasOwn(this.#registrations, name) && this.#registrations[name]
    if (!registrations) throw new ClientError('invalid_option', 'the event must be ready, change, stale or error', { path: '/event' })
    if (typeof handler !== 'function') throw new ClientError('invalid_option', 'the handler must be a function', { path: '/handler' })
    const registration = { handler }
    registrations.add(registration)
    return () => void registrations.delete(registration)
  }

  emit<Name extends keyof ClientEvents>(name: Name, event: ClientEvents<Key>[Name]): void {
    this.#queue.push(() => {
      const registrations = this.#registrations[name]
      for (const registration of [...registrations]) if (registrations.has(registration)) call(registration.handler, event)
    })
    this.#deliver()
  }

  /**
   * Delivers the queued events in a new task, so that handlers registered right after `connect`
   * receive them.
   */
  open(): void {
    this.#opening = setTimeout(() => {
      this.#state = 'idle'
      this.#deliver()
    }, 0)
  }

  /**
   * Drops queued events and every handler, even those that have not received the current event yet.
   */
  close(): void {
    clearTimeout(this.#opening)
    this.#queue = []
    for (const registrations of Object.values(this.#registrations)) registrations.clear()
  }

  #deliver(): void {
    if (this.#state !== 'idle') return
    this.#state = 'delivering'
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) next()
    this.#state = 'idle'
  }
}

/**
 * Calls a handler. An error that it throws, or a rejected promise, is logged and affects nothing
 * else.
 */
function call(handler: (event: never) => unknown, event: unknown): void {
  const log = (error: unknown) => console.error('a handler of a Dezky client failed:', error)
  try {
    const result = handler(event as never)
    if (result instanceof Promise) result.catch(log)
  } catch (error) {
    log(error)
  }
}
