/** The snapshot that a client has, and which other may take its place. */
import { changedKeys } from '../changed.js'
import { Ruleset } from '../ruleset.js'
import type { Document } from '../types.js'
import { toSource } from '../write.js'
import type { Keeper } from './platform.js'
import { Trouble } from './trouble.js'
import type { Answer } from './wire.js'

export interface Held<Key extends string> {
  readonly rules: Ruleset<Key>
  readonly source: string | Uint8Array
  /** Of which history of a server it is; nothing where that is not known, and then anything may follow. */
  readonly history: string | undefined
}

/** No flags at all. */
const NOTHING = '{"format":1,"revision":0,"environment":"production","flags":[]}'

export const nothing = <Key extends string>(): Held<Key> => ({ rules: Ruleset.fromSnapshot(NOTHING), source: NOTHING, history: undefined })

/** A snapshot from somewhere else than the server; what is wrong with it is thrown. */
export function hold<Key extends string>(document: Document<object>): Held<Key> {
  const source = toSource(document)
  const rules = Ruleset.fromSnapshot<Key>(source)
  const { history } = JSON.parse(textOf(source))
  return { rules, source, history: typeof history === 'string' ? history : undefined }
}

/** What the server answered, if it may take the place of what there was; else a Trouble is thrown. `latest` is the last that a server sent. */
export function judge<Key extends string>({ body, digest, history }: Answer, held: Held<Key> | undefined, latest: Held<Key> | undefined): Held<Key> {
  const mismatch = () => new Trouble('digest_mismatch', 'what arrived is not what the server says that it sent')
  if (!body) {
    // Only what is held was asked about.
    if (!held || (digest !== undefined && digest !== held.rules.digest)) throw mismatch()
    return held.history === history ? held : { ...held, history }
  }
  const rules = readRules<Key>(body)
  if (rules.digest !== digest) throw mismatch()
  if (latest?.history === history && rules.revision < latest.rules.revision)
    throw new Trouble('older_revision', `the server has revision ${rules.revision}, which is older than ${latest.rules.revision}`)
  return { rules, source: body, history }
}

function readRules<Key extends string>(body: Uint8Array): Ruleset<Key> {
  try {
    return Ruleset.fromSnapshot(body)
  } catch (cause) {
    throw new Trouble('bad_snapshot', `what the server sent is not a snapshot: ${(cause as Error).message}`, { cause })
  }
}

/** The flags that differ. */
export const changes = <Key extends string>(before: Held<Key>, after: Held<Key>): Key[] =>
  before.rules.digest === after.rules.digest ? [] : (changedKeys(before.source, after.source) as Key[])

/** Writes snapshots to the last-known-good file one after another; of several that wait, the last alone. */
export class Saver {
  readonly #keeper: Keeper
  readonly #told: (trouble: Trouble | undefined) => void
  #next: Uint8Array | undefined
  #isWriting = false

  constructor(keeper: Keeper, told: (trouble: Trouble | undefined) => void) {
    this.#keeper = keeper
    this.#told = told
  }

  async save({ source, history }: Held<string>): Promise<void> {
    this.#next = withHistory(source, history ?? '')
    if (this.#isWriting) return
    this.#isWriting = true
    while (this.#next) {
      const document = this.#next
      this.#next = undefined
      const failure = await this.#keeper.write(document).then(() => undefined, fileTrouble)
      this.#told(failure)
    }
    this.#isWriting = false
  }
}

export const fileTrouble = (cause: unknown): Trouble =>
  new Trouble('file_unusable', `the last-known-good file cannot be used: ${(cause as Error).message}`, { cause })

/** The document with one more member at its end, which readers of snapshots pass over. */
function withHistory(source: string | Uint8Array, history: string): Uint8Array {
  const text = textOf(source).trimEnd()
  return new TextEncoder().encode(`${text.slice(0, -1)},"history":${JSON.stringify(history)}}`)
}

const textOf = (source: string | Uint8Array): string => (typeof source === 'string' ? source : new TextDecoder().decode(source))
