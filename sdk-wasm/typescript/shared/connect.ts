/** Opens a live client: loads the engine, the file and the server's rules, within the deadline. */
import { Client } from './client.js'
import { fileTrouble, hold, type Held } from './live/held.js'
import { Live } from './live/live.js'
import { type ConnectOptions, readOptions, type Settings } from './live/options.js'
import type { Kept, Platform } from './live/platform.js'
import { Trouble } from './live/trouble.js'
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
  if ((await Promise.race([platform.ready(), late])) === 'late') throw new Trouble('deadline', 'the engine did not load before the deadline')
  const given = settings.snapshot === undefined ? undefined : readGiven<Key>(settings.snapshot)
  const keeper = settings.file === undefined ? undefined : platform.keep?.(settings.file)
  const live = new Live<Key>(settings, platform, keeper)
  const client = new Client(live)
  const reading = keeper?.read().then((kept) => kept && readKept<Key>(kept))
  const read = await Promise.race([reading?.catch(fileTrouble), late])
  if (read instanceof Trouble) live.tell('file', read)
  const kept = read instanceof Trouble || read === 'late' ? undefined : read

  // The file holds the server's last snapshot, unless the application passes a newer one.
  const start = kept && !(given && given.rules.revision > kept.held.rules.revision) ? kept.held : given
  if (start) live.remember(start, kept?.held ?? start)
  if (given) live.goOn(start)
  // With a file to fall back to, an unreachable server is not waited for.
  const goesOn = settings.pastDeadline === 'file' && kept !== undefined
  const following = live.follow((trouble) => trouble.isRefusal || (goesOn && trouble.code === 'unreachable'))
  const missed = given ? undefined : await Promise.race([following, late])
  if (missed) {
    const age = kept ? Date.now() - kept.written : performance.now() - began
    if (settings.pastDeadline === 'off') live.goOn(undefined)
    else if (goesOn) live.goOn(kept.held)
    else {
      void client.close()
      throw missed === 'late' ? tooLate(live.trouble) : missed
    }
    live.turnStale(Math.max(age, 0))
  }
  live.emitter.open()
  return client
}

function tooLate(trouble = new Trouble('unreachable', 'the server has not answered')): Trouble {
  return new Trouble('deadline', `no rules arrived before the deadline: ${trouble.message}`, { cause: trouble })
}

function readGiven<Key extends string>(snapshot: Document<object>): Held<Key> {
  try {
    return hold(snapshot)
  } catch (cause) {
    throw new Trouble('invalid_option', `the snapshot is malformed: ${(cause as Error).message}`, { path: '/snapshot', cause })
  }
}

const readKept = <Key extends string>({ document, written }: Kept): { held: Held<Key>; written: number } => ({ held: hold(document), written })
