/** The live client in a browser. */
import { init } from './loading.js'
import type { Client } from './shared/client.js'
import { connectOn } from './shared/connect.js'
import type { ConnectOptions } from './shared/live/options.js'
import type { Platform } from './shared/live/platform.js'

/**
 * Requests bypass the cache and send no cookies. The sign-off request outlives the page
 * (`keepalive`).
 */
const browser: Platform = {
  kind: 'browser', requestOptions: { cache: 'no-store', credentials: 'omit' }, closeHeaders: {}, signOffOptions: { keepalive: true }, ready: () => init(),
}

/** Connects to a server and follows its changes. Loads the engine first if it is not loaded yet. */
export function connect<Key extends string = string>(options: ConnectOptions): Promise<Client<Key>> {
  return connectOn(browser, options)
}
