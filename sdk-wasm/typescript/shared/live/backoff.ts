/** How long to wait before trying again: longer each time, and never the same for everybody. */

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

  /** Between half and all of what this attempt may wait; `retryAfter` where that is longer. */
  next(retryAfter = 0): number {
    const most = Math.min(this.#longest, this.#first * 2 ** this.#attempt++)
    return Math.max(most * (0.5 + Math.random() / 2), Math.min(retryAfter, LONGEST_RETRY_AFTER))
  }

  reset(): void {
    this.#attempt = 0
  }
}
