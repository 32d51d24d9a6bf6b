/** Opens a live client: loads the engine, the file and the server's rules, within the deadline. */
import { Client } from './client.js'
import { ClientError, deadlineError } from './live/client-error.js'
import { unusableFile } from './live/file.js'
import { type LoadedSnapshot, loadSnapshot } from './live/loaded-snapshot.js'
import { type ConnectOptions, readOptions, type Settings } from './live/options.js'
import type { Platform, StoredDocument } from './live/platform.js'
import { Session } from './live/session.js'
import type { Document } from './types.js'

/** Implements `connect` for one platform. */
export async function connectOn<Key extends string>(platform: Platform, options: ConnectOptions): Promise<Client<Key>> {
  const settings = readOptions(options, platform)
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<'late'>((resolve) => (timer = setTimeout(resolve, settings.deadline, 'late')))
  try {
    return await begin(settings, platform, late)
  } finally {
    clearTimeout(timer)
  }
}

async function begin<Key extends string>(settings: Settings, platform: Platform, late: Promise<'late'>): Promise<Client<Key>> {
  const began = performance.now()
  if ((await Promise.race([platform.ready(), late])) === 'late') throw new ClientError('deadline', 'the engine did not load before the deadline')
  const given = settings.snapshot === undefined ? undefined : readGiven<Key>(settings.snapshot)
  const file = settings.file === undefined ? undefined : platform.openFile?.(settings.file)
  const session = new Session<Key>(settings, platform, file)
  const client = new Client(session)
  const reading = file?.read().then((document) => document && readStored<Key>(document))
  const read = await Promise.race([reading?.catch(unusableFile('read')), late])
  if (read instanceof ClientError) session.reportProblem('file', read)
  const stored = read instanceof ClientError || read === 'late' ? undefined : read

  // The file holds the server's last snapshot, unless the application passes a newer one.
  const start = stored && !(given && given.rules.revision > stored.snapshot.rules.revision) ? stored.snapshot : given
  if (start) session.setKnown(start, stored?.snapshot ?? start)
  if (given) session.start(start)
  // With a file to start from, `connect` does not wait for an unreachable server.
  const canUseFile = settings.pastDeadline === 'file' && stored !== undefined
  const following = session.follow((error) => error.isRefusal || (canUseFile && error.code === 'unreachable'))
  const missed = given ? undefined : await Promise.race([following, late])
  if (missed) {
    const age = stored ? Date.now() - stored.written : performance.now() - began
    if (settings.pastDeadline === 'off') session.start(undefined)
    else if (canUseFile) session.start(stored.snapshot)
    else {
      void client.close()
      throw missed === 'late' ? deadlineError(session.fetchProblem) : missed
    }
    session.expire(Math.max(age, 0))
  }
  session.emitter.open()
  return client
}

function readGiven<Key extends string>(snapshot: Document<object>): LoadedSnapshot<Key> {
  try {
    return loadSnapshot(snapshot)
  } catch (cause) {
    throw new ClientError('invalid_option', `the snapshot is malformed: ${(cause as Error).message}`, { path: '/snapshot', cause })
  }
}

function readStored<Key extends string>({ document, written }: StoredDocument): { snapshot: LoadedSnapshot<Key>; written: number } {
  return { snapshot: loadSnapshot(document), written }
}
