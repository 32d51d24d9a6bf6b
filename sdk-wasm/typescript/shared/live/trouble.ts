/** What goes wrong between a client and its server. */
import { DezkyError } from '../error.js'
import type { ClientCode } from '../types.js'

/** The content of an `error` event. */
export interface ClientProblem {
  readonly code: ClientCode
  readonly message: string
  readonly fatal: boolean
  readonly serverCode?: string
}

interface Circumstances {
  readonly cause?: unknown
  /** The option that is at fault, as a JSON Pointer. */
  readonly path?: string
  /** With `key_refused`, the code in the server's answer. */
  readonly serverCode?: string | undefined
  /** How long the server wants to be left alone, in milliseconds. */
  readonly retryAfter?: number
}

/** A problem that a client has, as whoever calls `connect` sees it. */
export class Trouble extends DezkyError {
  readonly #problem: ClientProblem
  readonly #retryAfter: number

  constructor(code: ClientCode, message: string, { cause, path = '', serverCode, retryAfter = 0 }: Circumstances = {}) {
    super([{ code, path, message }])
    if (cause !== undefined) this.cause = cause
    this.#problem = { code, message, fatal: false, ...(serverCode && { serverCode }) }
    this.#retryAfter = retryAfter
  }

  /** As an event has it. */
  get problem(): ClientProblem {
    return this.#problem
  }

  /** The server does not accept the key. */
  get isRefusal(): boolean {
    return this.#problem.code === 'key_refused'
  }

  get retryAfter(): number {
    return this.#retryAfter
  }
}

/** Whatever was thrown on the way to the server and back: a problem that has a name, or a server that cannot be reached. */
export const troubleOf = (thrown: unknown): Trouble =>
  thrown instanceof Trouble ? thrown : new Trouble('unreachable', 'the server cannot be reached', { cause: thrown })
