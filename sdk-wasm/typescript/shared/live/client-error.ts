/** The errors of a live client: failed requests, rejected responses and malformed options. */
import { DezkyError } from '../error.js'
import type { ClientCode } from '../types.js'

/** The content of an `error` event. */
export interface ClientProblem {
  readonly code: ClientCode
  readonly message: string
  readonly fatal: boolean
  readonly serverCode?: string
}

interface Details {
  readonly cause?: unknown
  /** A JSON Pointer to the option at fault. */
  readonly path?: string
  /** For `key_refused`, the code in the server's response. */
  readonly serverCode?: string | undefined
  /** The wait that the server asks for, in milliseconds. */
  readonly retryAfter?: number
}

/** An error of a live client. Callers see it as a `DezkyError`, handlers as a `ClientProblem`. */
export class ClientError extends DezkyError {
  readonly #problem: ClientProblem
  readonly #retryAfter: number

  constructor(code: ClientCode, message: string, { cause, path = '', serverCode, retryAfter = 0 }: Details = {}) {
    super([{ code, path, message }])
    if (cause !== undefined) this.cause = cause
    this.#problem = { code, message, fatal: false, ...(serverCode && { serverCode }) }
    this.#retryAfter = retryAfter
  }

  /** The content of the `error` event. */
  get problem(): ClientProblem {
    return this.#problem
  }

  /** Returns whether the server refuses the key. */
  get isRefusal(): boolean {
    return this.#problem.code === 'key_refused'
  }

  get retryAfter(): number {
    return this.#retryAfter
  }
}

/**
 * Converts anything that a request throws. Other errors than a `ClientError` mean that the server
 * is unreachable.
 */
export const toClientError = (thrown: unknown): ClientError =>
  thrown instanceof ClientError ? thrown : new ClientError('unreachable', 'the server cannot be reached', { cause: thrown })

/** The error of a client that has no rules at its deadline. */
export function deadlineError(cause = new ClientError('unreachable', 'the server has not answered')): ClientError {
  const { code, message } = cause.problem
  return new ClientError('deadline', `no rules arrived before the deadline; the last problem is ${code}: ${message}`, { cause })
}
