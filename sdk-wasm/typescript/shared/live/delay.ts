/** A delay that can be cancelled. */

/** Waits once at a time. Cancelling ends the wait early; its promise then resolves as usual. */
export class CancellableDelay {
  #resolve: (() => void) | undefined

  wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        this.#resolve = undefined
        resolve()
      }
      const timer = setTimeout(end, milliseconds)
      this.#resolve = end
    })
  }

  cancel(): void {
    this.#resolve?.()
  }
}
