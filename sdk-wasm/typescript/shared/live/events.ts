/** What a client says, and to whom. */
import { type ClientProblem, Trouble } from './trouble.js'

export type ClientStatus = 'connecting' | 'ready' | 'stale' | 'refused' | 'closed'

/** The events of a client, by name, and what a handler is given. Times are in milliseconds. */
export interface ClientEvents<Key extends string = string> {
  /** There are rules for the first time, or the server confirms them again after they were stale or the key was refused. */
  ready: { readonly revision: number }
  /** Other rules are in force: `keys` are the flags that were changed, added or removed, sorted. */
  change: { readonly revision: number; readonly keys: readonly Key[] }
  /** The server has not confirmed the rules for a while: since `age`. */
  stale: { readonly age: number }
  /**
   * Something else is wrong than before. With `key_refused`, `serverCode` is the code in the server's answer, if it had one. `fatal` is
   * always false: a client goes on asking until it is closed.
   */
  error: ClientProblem
}

type Registered = { readonly handler: (event: never) => unknown }

/** Hands events to handlers, one after another. */
export class Emitter<Key extends string> {
  readonly #registered: { readonly [name in keyof ClientEvents]: Set<Registered> } = {
    ready: new Set(), change: new Set(), stale: new Set(), error: new Set(),
  }
  #waiting: (() => void)[] = []
  #opening: ReturnType<typeof setTimeout> | undefined
  #state: 'shut' | 'open' | 'busy' = 'shut'

  on<Name extends keyof ClientEvents>(name: Name, handler: (event: ClientEvents<Key>[Name]) => unknown): () => void {
    const handlers = Object.hasOwn(this.#registered, name) && this.#registered[name]
    if (!handlers) throw new Trouble('invalid_option', 'the events are ready, change, stale and error', { path: '/event' })
    if (typeof handler !== 'function') throw new Trouble('invalid_option', 'a handler is a function', { path: '/handler' })
    const registered = { handler }
    handlers.add(registered)
    return () => void handlers.delete(registered)
  }

  emit<Name extends keyof ClientEvents>(name: Name, event: ClientEvents<Key>[Name]): void {
    this.#waiting.push(() => {
      const handlers = this.#registered[name]
      for (const registered of [...handlers]) if (handlers.has(registered)) tell(registered.handler, event)
    })
    this.#deliver()
  }

  /** Hands over what has waited, in a task of its own: handlers that are added right after `connect` miss nothing. */
  open(): void {
    this.#opening = setTimeout(() => {
      this.#state = 'open'
      this.#deliver()
    }, 0)
  }

  /** No event from here on, not even to the handlers that are left of the one being told. */
  close(): void {
    clearTimeout(this.#opening)
    this.#waiting = []
    for (const handlers of Object.values(this.#registered)) handlers.clear()
  }

  #deliver(): void {
    if (this.#state !== 'open') return
    this.#state = 'busy'
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) next()
    this.#state = 'open'
  }
}

/** A handler that throws, or rejects, harms nobody else. What it throws is not lost. */
function tell(handler: (event: never) => unknown, event: unknown): void {
  const complain = (error: unknown) => console.error('a handler of a Dezky client threw', error)
  try {
    const told = handler(event as never)
    if (told instanceof Promise) told.catch(complain)
  } catch (error) {
    complain(error)
  }
}
