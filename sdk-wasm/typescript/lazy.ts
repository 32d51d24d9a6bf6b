/** Engines that load synchronously, created on first use: for Node and edge platforms. */

/** Returns a proxy that creates the engine when a property is first read. */
export function lazy<Engine extends object>(create: () => Engine): Engine {
  let engine: Engine | undefined
  return new Proxy({} as Engine, { get: (_, name) => (engine ??= create())[name as keyof Engine] })
}

/** Does nothing on this platform. Exists so that code written for browsers runs unchanged. */
export async function init(): Promise<void> {}

/** Does nothing on this platform, like `init`. */
export function initSync(): void {}
