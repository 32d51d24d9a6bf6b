/** The live client in a browser. */
import { init } from './loading.js'
import type { Client } from './shared/client.js'
import { connectOn } from './shared/connect.js'
import type { ConnectOptions } from './shared/live/options.js'
import type { Platform } from './shared/live/platform.js'

/** What is asked for is never in a cache, and nobody's cookies belong to it. The last request outlives a page that is left. */
const browser: Platform = {
  kind: 'browser', request: { cache: 'no-store', credentials: 'omit' }, parting: {}, closing: { keepalive: true }, ready: () => init(),
}

/** Connects to a server and follows it, having loaded the engine where it was not loaded yet. */
export function connect<Key extends string = string>(options: ConnectOptions): Promise<Client<Key>> {
  return connectOn(browser, options)
}
