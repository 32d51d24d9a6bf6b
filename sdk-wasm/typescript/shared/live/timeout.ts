/** A timeout for requests that can be extended, and that also ends when the client is closed. */

export class Timeout {
  readonly #controller = new AbortController()
  readonly #closing: AbortSignal
  readonly #expire = () => this.#controller.abort()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(milliseconds: number, closing: AbortSignal) {
    this.#closing = closing
    closing.addEventListener('abort', this.#expire)
    if (closing.aborted) this.#expire()
    this.restart(milliseconds)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Starts the timeout again from now, unless it has expired. */
  restart(milliseconds: number): void {
    clearTimeout(this.#timer)
    if (!this.signal.aborted) this.#timer = setTimeout(this.#expire, milliseconds)
  }

  /**
   * Waits for a promise, which need not support abort signals. Rejects when the timeout expires.
   */
  async race<Value>(promise: Promise<Value>): Promise<Value> {
    const { signal } = this
    return new Promise((resolve, reject) => {
      const expire = () => reject(new Error('timed out'))
      promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', expire))
      if (signal.aborted) expire()
      else signal.addEventListener('abort', expire)
    })
  }

  /** Clears the timer and aborts everything that still uses the signal. */
  end(): void {
    clearTimeout(this.#timer)
    this.#closing.removeEventListener('abort', this.#expire)
    this.#expire()
  }
}
