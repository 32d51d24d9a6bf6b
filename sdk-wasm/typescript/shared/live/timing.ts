/** Waiting, so that it always ends. */

/** A wait that can be cut short. One at a time. */
export class Nap {
  #wake: (() => void) | undefined

  take(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer)
        this.#wake = undefined
        resolve()
      }
      const timer = setTimeout(wake, milliseconds)
      this.#wake = wake
    })
  }

  cut(): void {
    this.#wake?.()
  }
}

/** The time that something may take. It can be prolonged, and ends at once where everything ends. */
export class Limit {
  readonly #controller = new AbortController()
  readonly #ending: AbortSignal
  readonly #expire = () => this.#controller.abort()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(ending: AbortSignal) {
    this.#ending = ending
    ending.addEventListener('abort', this.#expire)
    if (ending.aborted) this.#expire()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** From now on so long. */
  prolong(milliseconds: number): void {
    clearTimeout(this.#timer)
    if (!this.signal.aborted) this.#timer = setTimeout(this.#expire, milliseconds)
  }

  /** Waits for something that may not know about the limit. */
  async hold<Value>(promise: Promise<Value>): Promise<Value> {
    const { signal } = this
    return new Promise((resolve, reject) => {
      const expire = () => reject(new Error('timed out'))
      promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', expire))
      if (signal.aborted) expire()
      else signal.addEventListener('abort', expire)
    })
  }

  /** Whatever still goes on under this limit is over. */
  end(): void {
    clearTimeout(this.#timer)
    this.#ending.removeEventListener('abort', this.#expire)
    this.#expire()
  }
}
