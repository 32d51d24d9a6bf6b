/** Jitter and exponential backoff for the client's waits. */
import type { ClientError } from './client-error.js'

/** The cap on the server's `Retry-After`, in milliseconds. */
const MAX_RETRY_AFTER = 300_000

/** Returns the duration, up to a fifth shorter or longer. */
export const jitter = (duration: number): number => duration * (0.8 + Math.random() * 0.4)

export class Backoff {
  readonly #min: number
  readonly #max: number
  #attempt = 0

  constructor({ minBackoff, maxBackoff }: { readonly minBackoff: number; readonly maxBackoff: number }) {
    this.#min = minBackoff
    this.#max = maxBackoff
  }

  /**
   * Returns the wait before the next attempt: exponential backoff with jitter, at least the
   * server's `Retry-After`. The cap is twice as long while the key is refused.
   */
  next(error?: ClientError): number {
    const max = Math.min(this.#max * (error?.isRefusal ? 2 : 1), this.#min * 2 ** this.#attempt++)
    return Math.max(max * (0.5 + Math.random() / 2), Math.min(error?.retryAfter ?? 0, MAX_RETRY_AFTER))
  }

  reset(): void {
    this.#attempt = 0
  }
}
