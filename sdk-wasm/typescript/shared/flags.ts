/** Every flag for one tenant. */
import type { RulesetHandle } from './engine.js'
import { fail } from './error.js'
import type { Explanation, Results } from './types.js'
import { toText } from './write.js'

/** What an engine says of a snapshot that it has read. */
export interface Summary<Key extends string> {
  readonly revision: number
  readonly environment: string
  readonly digest: string
  readonly keys: readonly Key[]
}

/** What a ruleset and the answers read from it share. */
export interface Rules<Key extends string> extends Summary<Key> {
  /** Each key's place in `keys`. Without a prototype, which engines look up faster than a Map. */
  readonly index: { readonly [key: string]: number }
  /** Nothing once freed. */
  handle: RulesetHandle | undefined
}

export const handleOf = ({ handle }: Rules<string>): RulesetHandle => handle ?? fail('released')

/** Every flag for one tenant, by `Ruleset.forTenant`. Reading costs no crossing into the engine; explaining does. */
export class Flags<Key extends string = string> {
  readonly #rules: Rules<Key>
  readonly #index: Rules<Key>['index']
  readonly #lines: string
  readonly #bits: Uint8Array

  /** @internal */
  constructor(rules: Rules<Key>, lines: string, bits: Uint8Array) {
    this.#rules = rules
    this.#index = rules.index
    this.#lines = lines
    this.#bits = bits
  }

  /** Whether a flag is on. A flag that does not exist is off. */
  isEnabled(key: Key): boolean {
    const flag = typeof key === 'string' ? this.#index[key] : undefined
    if (flag !== undefined) return this.#isOn(flag)
    toText(key, '/key')
    return false
  }

  /** Why a flag is on or off. */
  explain(key: Key): Explanation<Key> {
    return JSON.parse(handleOf(this.#rules).explain(this.#lines, toText(key, '/key')))
  }

  /** Every flag and its answer. */
  all(): Record<Key, boolean> {
    const all = {} as Record<Key, boolean>
    let flag = 0
    for (const key of this.#rules.keys) all[key] = this.#isOn(flag++)
    return all
  }

  /** The keys of the flags that are on, sorted. */
  enabledKeys(): Key[] {
    return this.#rules.keys.filter((_, flag) => this.#isOn(flag))
  }

  /** What a page that is rendered on a server hands to the browser, where `readResults` reads it. */
  toJSON(): Results<Key> {
    const { revision, environment } = this.#rules
    return { revision, environment, flags: this.all() }
  }

  #isOn(flag: number): boolean {
    return ((this.#bits[flag >> 3] as number) >> (flag & 7) & 1) === 1
  }
}
