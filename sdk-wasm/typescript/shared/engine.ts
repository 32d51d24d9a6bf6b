/** What a native addon or a WASM module must offer; everything else is written once, on top of it. */

/** A document on its way into an engine: text, or UTF-8 bytes. */
export type Source = string | Uint8Array

/**
 * Documents go in as they are, answers come back as JSON text. What is wrong is thrown as a text, or as an Error with that text for its
 * message: the JSON list of problems, `[{"code","path","message"}, …]`. Texts that are given are well formed: no lone surrogates.
 * A handle that nobody holds any more is freed by its engine.
 */
export interface Engine {
  readonly name: 'native' | 'wasm'
  ruleset(snapshot: Source): RulesetHandle
  /** A subject document as its five lines. */
  subject(document: Source): string
  /** `{ principal, action, resource? }` to `{ allowed, reason }`. */
  can(question: Source): string
  rolloutPosition(tenantId: string, key: string): number
  /** Keys joined by "\n". */
  changedKeys(before: Source, after: Source): string
}

export interface RulesetHandle {
  /** `{ revision, environment, digest, keys }`, the keys sorted. */
  readonly summary: string
  /**
   * A subject as five lines, the last two empty where absent, to one bit a flag: flag `i` is bit `i % 8` of byte `i / 8`.
   * Nothing where a line is malformed. The bytes are the caller's to keep.
   */
  evaluate(lines: string): Uint8Array | undefined
  explain(lines: string, key: string): string
  fingerprint(subjects: Source): string
  free(): void
}

/** What concerns the whole population, and the model's documents: loaded by those who use it. */
export interface Population {
  world(document: Source): WorldHandle
  /** The document written back. */
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
