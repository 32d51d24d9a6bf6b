/** A snapshot with its ruleset and history, and the check of responses that may replace it. */
import { changedKeys } from '../changed.js'
import { Ruleset } from '../ruleset.js'
import type { Document } from '../types.js'
import { toSource } from '../write.js'
import { ClientError } from './client-error.js'
import type { SnapshotResponse } from './http.js'

export interface LoadedSnapshot<Key extends string> {
  readonly rules: Ruleset<Key>
  readonly source: string | Uint8Array
  /**
   * The history of the server that published the snapshot; `undefined` has no order with any other.
   */
  readonly history: string | undefined
}

const EMPTY = '{"format":1,"revision":0,"environment":"production","flags":[]}'

/** Returns the snapshot without flags that a client begins with. */
export const emptySnapshot = <Key extends string>(): LoadedSnapshot<Key> => ({ rules: Ruleset.fromSnapshot(EMPTY), source: EMPTY, history: undefined })

/** Parses a snapshot document that may also contain its history, as last-known-good files do. */
export function loadSnapshot<Key extends string>(document: Document<object>): LoadedSnapshot<Key> {
  const source = toSource(document)
  const rules = Ruleset.fromSnapshot<Key>(source)
  const { history } = JSON.parse(textOf(source))
  return { rules, source, history: typeof history === 'string' ? history : undefined }
}

/**
 * Returns the snapshot of a response, or throws a `ClientError` if the response must be rejected.
 * `known` is the snapshot that the request named. A lower revision than that of `latest`, the last
 * snapshot from a server, is rejected within the same history.
 */
export function judge<Key extends string>(
  { body, digest, history }: SnapshotResponse,
  known: LoadedSnapshot<Key> | undefined,
  latest: LoadedSnapshot<Key> | undefined,
): LoadedSnapshot<Key> {
  const mismatch = () => new ClientError('digest_mismatch', 'the response does not match its digest')
  if (!body) {
    if (!known || (digest !== undefined && digest !== known.rules.digest)) throw mismatch()
    return known.history === history ? known : { ...known, history }
  }
  const rules = parseRules<Key>(body)
  if (rules.digest !== digest) throw mismatch()
  if (latest?.history === history && rules.revision < latest.rules.revision)
    throw new ClientError('older_revision', `the server has revision ${rules.revision}, which is older than ${latest.rules.revision}`)
  return { rules, source: body, history }
}

function parseRules<Key extends string>(body: Uint8Array): Ruleset<Key> {
  try {
    return Ruleset.fromSnapshot(body)
  } catch (cause) {
    throw new ClientError('bad_snapshot', `the response is not a snapshot: ${(cause as Error).message}`, { cause })
  }
}

/** Returns the flags that differ between two snapshots. */
export const changesBetween = <Key extends string>(before: LoadedSnapshot<Key>, after: LoadedSnapshot<Key>): Key[] =>
  before.rules.digest === after.rules.digest ? [] : (changedKeys(before.source, after.source) as Key[])

/**
 * Returns the document with its history as one more member at the end, which parsers of snapshots
 * ignore.
 */
export function toDocument({ source, history = '' }: LoadedSnapshot<string>): Uint8Array {
  const text = textOf(source).trimEnd()
  return new TextEncoder().encode(`${text.slice(0, -1)},"history":${JSON.stringify(history)}}`)
}

const textOf = (source: string | Uint8Array): string => (typeof source === 'string' ? source : new TextDecoder().decode(source))
