/** The live client in Node, which alone has files. */
import type { Client } from '../shared/client.js'
import { connectOn } from '../shared/connect.js'
import type { ConnectOptions } from '../shared/live/options.js'
import type { Platform } from '../shared/live/platform.js'
import { keep } from './keep.js'

/**
 * Node keeps idle connections in a pool of its own, which nobody can close: so none is kept where no request follows. It opens another where a
 * stream is given up; that one goes by itself after four seconds, and keeps no process alive.
 */
const node: Platform = { kind: 'node', request: {}, parting: { connection: 'close' }, closing: {}, ready: async () => {}, keep }

/** Connects to a server and follows it. */
export function connect<Key extends string = string>(options: ConnectOptions): Promise<Client<Key>> {
  return connectOn(node, options)
}
