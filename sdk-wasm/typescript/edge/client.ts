/** The live client on edge runtimes, where it lives during one request. */
import type { Client } from '../shared/client.js'
import { connectOn } from '../shared/connect.js'
import type { ConnectOptions } from '../shared/live/options.js'
import type { Platform } from '../shared/live/platform.js'

const edge: Platform = { kind: 'edge', requestOptions: {}, closeHeaders: {}, signOffOptions: {}, ready: async () => {} }

/** Connects to a server and follows its changes. */
export function connect<Key extends string = string>(options: ConnectOptions): Promise<Client<Key>> {
  return connectOn(edge, options)
}
