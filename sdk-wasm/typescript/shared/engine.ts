/** The interface of an engine, implemented by the native addon and the WASM modules. */

/** An encoded document: JSON text or UTF-8 bytes. */
export type Source = string | Uint8Array

/**
 * Evaluates flags and decides access. Documents are passed unparsed; answers are JSON text.
 *
 * An engine reports invalid input by throwing the JSON list of problems,
 * `[{"code","path","message"}, …]`, either as a string or as the message of an Error. Strings
 * passed in are well formed: they contain no lone surrogates. An engine frees handles that have
 * been garbage-collected.
 */
export interface Engine {
  readonly name: 'native' | 'wasm'
  ruleset(snapshot: Source): RulesetHandle
  /** Converts a subject document to its five lines. */
  subject(document: Source): string
  /** Decides `{ principal, action, resource? }` and returns `{ allowed, reason }`. */
  can(request: Source): string
  rolloutPosition(tenantId: string, key: string): number
  /** Returns the changed keys, each followed by "\n". */
  changedKeys(before: Source, after: Source): string
}

export interface RulesetHandle {
  /** `{ revision, environment, digest, keys }`, with the keys sorted. */
  readonly summary: string
  /**
   * Evaluates every flag for a subject given as five lines; absent optional names are empty lines.
   * Returns one bit per flag: flag `i` is bit `i % 8` of byte `i / 8`. Returns undefined if a line
   * is malformed. The caller owns the returned bytes.
   */
  evaluate(lines: string): Uint8Array | undefined
  explain(lines: string, key: string): string
  fingerprint(subjects: Source): string
  free(): void
}

/** The engine of the population and the model's documents, loaded only where it is imported. */
export interface Population {
  world(document: Source): WorldHandle
  /** Returns the document in its normal form, defaults included. */
  validate(kind: string, document: Source): string
}

export interface WorldHandle {
  readonly revision: number
  readonly environment: string
  readonly registered: number
  plan(edit: Source): string
  ladder(key: string): string
  counts(key: string): string
  fingerprint(): string
  free(): void
}
