/** The entry `@dezky/sdk-wasm/results`: reads flags that a server evaluated; needs no engine. */
import { ownMembers } from './shared/own-members.js'
import type { Results } from './shared/types.js'

export type { Results }

/** One tenant's flags as the server evaluated them. A flag that does not exist is off. */
export interface ReadResults<Key extends string = string> {
  readonly revision: number
  readonly environment: string
  isEnabled(key: Key): boolean
  all(): Record<Key, boolean>
  enabledKeys(): Key[]
}

/**
 * Reads the output of `flags.toJSON()`, as a value or as JSON text. Throws if the document has any
 * other form.
 *
 * @example
 * const flags = readResults(sentByTheServer)
 * flags.isEnabled('new-portal')
 */
export function readResults<Key extends string = string>(document: Results<Key> | string): ReadResults<Key> {
  const { revision, environment, flags } = ownMembers(Object(typeof document === 'string' ? JSON.parse(document) : document))
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
