/** The live client in Node, the only platform with a snapshot file. */
import type { Client } from '../shared/client.js'
import { connectOn } from '../shared/connect.js'
import type { ConnectOptions } from '../shared/live/options.js'
import type { Platform } from '../shared/live/platform.js'
import { openSnapshotFile } from './snapshot-file.js'

/**
 * `fetch` in Node keeps idle connections in a pool that this client cannot close. The last request
 * before a pause therefore sends `connection: close`. Aborting a stream can leave one idle
 * connection in the pool: it closes after four seconds and keeps no process alive.
 */
const node: Platform = { kind: 'node', requestOptions: {}, closeHeaders: { connection: 'close' }, signOffOptions: {}, ready: async () => {}, openFile: openSnapshotFile }

/** Connects to a server and follows its changes. */
export function connect<Key extends string = string>(options: ConnectOptions): Promise<Client<Key>> {
  return connectOn(node, options)
}
