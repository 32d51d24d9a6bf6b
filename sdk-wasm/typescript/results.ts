/** For pages that a server rendered: reads the flags that it sent along, and needs no engine. */
import { own } from './shared/own.js'
import type { Results } from './shared/types.js'

export type { Results }

/** One tenant's flags, as the server saw them. A flag that does not exist is off. */
export interface ReadResults<Key extends string = string> {
  readonly revision: number
  readonly environment: string
  isEnabled(key: Key): boolean
  all(): Record<Key, boolean>
  enabledKeys(): Key[]
}

/** Reads what `flags.toJSON()` gave on the server, as a value or as its text. Throws where it is anything else. */
export function readResults<Key extends string = string>(document: Results<Key> | string): ReadResults<Key> {
  const { revision, environment, flags } = own(Object(typeof document === 'string' ? JSON.parse(document) : document))
  const answers = new Map(Object.entries(Object(flags))) as Map<Key, unknown>
  const isWhole =
    Number.isSafeInteger(revision) && typeof environment === 'string' && typeof flags === 'object' && flags && !Array.isArray(flags)
  if (!isWhole || [...answers.values()].some((answer) => typeof answer !== 'boolean')) throw TypeError('not a results document')
  return {
    revision,
    environment,
    isEnabled: (key) => answers.get(key) === true,
    all: () => Object.fromEntries(answers) as Record<Key, boolean>,
    enabledKeys: () => [...answers.keys()].filter((key) => answers.get(key)),
  }
}
