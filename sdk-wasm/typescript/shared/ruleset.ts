/// <reference lib="esnext.disposable" preserve="true" />
/** The flags of one snapshot: one engine call per tenant, then lookups in JavaScript. */
import { engine } from './current.js'
import { callEngine } from './error.js'
import { Flags, handleOf, type RulesetData, type Summary } from './flags.js'
import type { Document, Subject } from './types.js'
import { toSource } from './write.js'

/** The number of tenants whose flags `Ruleset.isEnabled` caches. */
const CACHED_TENANTS = 1024

/**
 * The compiled flags of one snapshot. A ruleset is immutable: create another one for a newer
 * snapshot.
 *
 * @example
 * const rules = Ruleset.fromSnapshot(snapshot)
 * rules.forTenant({ tenantId: 't1', tenantSlug: 'acme', plan: 'business' }).isEnabled('new-portal')
 */
export class Ruleset<Key extends string = string> {
  readonly #data: RulesetData<Key>
  readonly #cache = new Map<string, Flags<Key>>()

  private constructor(data: RulesetData<Key>) {
    this.#data = data
  }

  /** Parses a snapshot strictly. Throws one `DezkyError` that lists every problem. */
  static fromSnapshot<Key extends string = string>(snapshot: Document<object>): Ruleset<Key> {
    const source = toSource(snapshot)
    const handle = callEngine(() => engine().ruleset(source))
    const summary: Summary<Key> = JSON.parse(handle.summary)
    Object.freeze(summary.keys)
    const index: Record<string, number> = Object.create(null)
    summary.keys.forEach((key, flag) => (index[key] = flag))
    return new Ruleset({ ...summary, index, handle })
  }

  get revision(): number {
    return this.#data.revision
  }

  get environment(): string {
    return this.#data.environment
  }

  /** The keys of all flags, sorted. */
  get keys(): readonly Key[] {
    return this.#data.keys
  }

  /** The SHA-256 of the snapshot's canonical form; the server sends it as the ETag. */
  get digest(): string {
    return this.#data.digest
  }

  /** Evaluates every flag for one tenant. */
  forTenant(subject: Document<Subject>): Flags<Key> {
    return this.#evaluateLines(linesOf(subject)) ?? this.#evaluateDocument(subject)
  }

  /** Evaluates one flag for one tenant. Caches tenants; `forTenant` is faster for several flags. */
  isEnabled(key: Key, subject: Document<Subject>): boolean {
    const lines = linesOf(subject)
    let flags = this.#cache.get(lines)
    if (!flags) {
      flags = this.#evaluateLines(lines)
      if (!flags) return this.#evaluateDocument(subject).isEnabled(key)
      if (this.#cache.size === CACHED_TENANTS) this.#cache.delete(this.#cache.keys().next().value as string)
      this.#cache.set(lines, flags)
    }
    return flags.isEnabled(key)
  }

  /** Returns a SHA-256 over every subject's flags: equal on all runtimes for equal input. */
  fingerprint(subjects: Document<readonly Subject[]>): string {
    const source = toSource(subjects)
    return callEngine(() => handleOf(this.#data).fingerprint(source))
  }

  /**
   * Frees the engine's memory now instead of at garbage collection. Evaluated flags stay readable.
   */
  free(): void {
    this.#data.handle?.free()
    this.#data.handle = undefined
    this.#cache.clear()
  }

  [Symbol.dispose](): void {
    this.free()
  }

  #evaluateLines(lines: string): Flags<Key> | undefined {
    const bits = handleOf(this.#data).evaluate(lines)
    return bits && new Flags(this.#data, lines, bits)
  }

  /** The slow path: parses the subject as a document, and throws its problems if it is invalid. */
  #evaluateDocument(subject: Document<Subject>): Flags<Key> {
    const source = toSource(subject)
    return this.#evaluateLines(callEngine(() => engine().subject(source))) as Flags<Key>
  }
}

/** The member names of a subject. */
const MEMBERS: { readonly [name: string]: unknown } = Object.assign(Object.create(null), {
  tenantId: 1, tenantSlug: 1, plan: 1, partnerSlug: 1, environment: 1,
})

/**
 * Returns whether `Object.prototype` defines a subject's member, so that reading could inherit it.
 */
const isInherited = ({ prototype }: ObjectConstructor): boolean =>
  'tenantId' in prototype || 'tenantSlug' in prototype || 'plan' in prototype || 'partnerSlug' in prototype || 'environment' in prototype

/**
 * Converts a plain subject to the five lines that an engine takes. Returns '' for any other value,
 * including objects with unknown members: those take the slow path.
 */
function linesOf(subject: Document<Subject>): string {
  try {
    if (Object.getPrototypeOf(subject) !== Object.prototype || isInherited(Object)) return ''
    for (const name in subject as object) if (!(name in MEMBERS)) return ''
    const { tenantId, tenantSlug, plan, partnerSlug, environment } = subject as Subject
    return isLine(tenantId) && isLine(tenantSlug) && isLine(plan) && isLine(partnerSlug ?? 'x') && isLine(environment ?? 'x')
      ? `${tenantId}\n${tenantSlug}\n${plan}\n${partnerSlug ?? ''}\n${environment ?? ''}`
      : ''
  } catch {
    return ''
  }
}

/** Rejects the empty string, because an empty line means that the name is absent. */
const isLine = (value: unknown): boolean => typeof value === 'string' && value !== ''
