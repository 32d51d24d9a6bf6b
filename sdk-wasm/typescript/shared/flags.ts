/** The evaluated flags of one tenant. */
import type { RulesetHandle } from './engine.js'
import { fail } from './error.js'
import type { Explanation, Results } from './types.js'
import { toText } from './write.js'

/** The summary that an engine returns for a parsed snapshot. */
export interface Summary<Key extends string> {
  readonly revision: number
  readonly environment: string
  readonly digest: string
  readonly keys: readonly Key[]
}

/** The data that a ruleset shares with the flags evaluated from it. */
export interface RulesetData<Key extends string> extends Summary<Key> {
  /** Maps each key to its index in `keys`. An object without a prototype: faster than a Map. */
  readonly index: { readonly [key: string]: number }
  /** Undefined after `free`. */
  handle: RulesetHandle | undefined
}

export const handleOf = ({ handle }: RulesetData<string>): RulesetHandle => handle ?? fail('released')

/**
 * The evaluated flags of one tenant, returned by `Ruleset.forTenant`. Reading a flag is a lookup in
 * JavaScript; only `explain` calls the engine.
 */
export class Flags<Key extends string = string> {
  readonly #rules: RulesetData<Key>
  readonly #index: RulesetData<Key>['index']
  readonly #lines: string
  readonly #bits: Uint8Array

  /** @internal */
  constructor(rules: RulesetData<Key>, lines: string, bits: Uint8Array) {
    this.#rules = rules
    this.#index = rules.index
    this.#lines = lines
    this.#bits = bits
  }

  /** Returns whether a flag is on. A flag that does not exist is off. */
  isEnabled(key: Key): boolean {
    const flag = typeof key === 'string' ? this.#index[key] : undefined
    if (flag !== undefined) return this.#isOn(flag)
    toText(key, '/key')
    return false
  }

  /** Explains why a flag is on or off. */
  explain(key: Key): Explanation<Key> {
    return JSON.parse(handleOf(this.#rules).explain(this.#lines, toText(key, '/key')))
  }

  /** Returns every flag with its value. */
  all(): Record<Key, boolean> {
    const all = {} as Record<Key, boolean>
    let flag = 0
    for (const key of this.#rules.keys) all[key] = this.#isOn(flag++)
    return all
  }

  /** Returns the keys of the flags that are on, sorted. */
  enabledKeys(): Key[] {
    return this.#rules.keys.filter((_, flag) => this.#isOn(flag))
  }

  /** Returns the document that a server sends to a browser, where `readResults` reads it. */
  toJSON(): Results<Key> {
    const { revision, environment } = this.#rules
    return { revision, environment, flags: this.all() }
  }

  #isOn(flag: number): boolean {
    return ((this.#bits[flag >> 3] as number) >> (flag & 7) & 1) === 1
  }
}
