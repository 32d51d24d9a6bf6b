/** Exponential backoff with jitter. */
import type { Trouble } from './trouble.js'

/** What a server may ask for at most. */
const LONGEST_RETRY_AFTER = 300_000

export class Backoff {
  readonly #first: number
  readonly #longest: number
  #attempt = 0

  constructor({ minBackoff, maxBackoff }: { readonly minBackoff: number; readonly maxBackoff: number }) {
    this.#first = minBackoff
    this.#longest = maxBackoff
  }

  /** Between half and all of what this attempt may wait, or as long as the server asks. A key that is refused may wait twice as long. */
  next(trouble?: Trouble): number {
    const most = Math.min(this.#longest * (trouble?.isRefusal ? 2 : 1), this.#first * 2 ** this.#attempt++)
    return Math.max(most * (0.5 + Math.random() / 2), Math.min(trouble?.retryAfter ?? 0, LONGEST_RETRY_AFTER))
  }

  reset(): void {
    this.#attempt = 0
  }
}
