/** For platforms where modules are at hand: engines without waiting. */

/** An engine that is made when it is first asked for something. */
export function lazily<Made extends object>(make: () => Made): Made {
  let made: Made | undefined
  return new Proxy({} as Made, { get: (_, name) => (made ??= make())[name as keyof Made] })
}

/** There is nothing to wait for. What is written for browsers too may do so all the same. */
export async function init(): Promise<void> {}

export function initSync(): void {}
