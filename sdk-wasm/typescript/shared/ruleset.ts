/// <reference lib="esnext.disposable" preserve="true" />
/** The flags of one snapshot: one crossing into the engine a tenant, then reads in JavaScript. */
import { engine } from './current.js'
import { asking } from './error.js'
import { Flags, handleOf, type Rules, type Summary } from './flags.js'
import type { Document, Subject } from './types.js'
import { toSource } from './write.js'

/** How many tenants `Ruleset.isEnabled` remembers. */
const REMEMBERED = 1024

/** The flags of one snapshot, ready to answer. It never changes: a newer snapshot is another ruleset. */
export class Ruleset<Key extends string = string> {
  readonly #rules: Rules<Key>
  readonly #remembered = new Map<string, Flags<Key>>()

  private constructor(rules: Rules<Key>) {
    this.#rules = rules
  }

  /** Reads a snapshot strictly; what is wrong with it is thrown as one `DezkyError`. */
  static fromSnapshot<Key extends string = string>(snapshot: Document<object>): Ruleset<Key> {
    const source = toSource(snapshot)
    const handle = asking(() => engine().ruleset(source))
    const summary: Summary<Key> = JSON.parse(handle.summary)
    Object.freeze(summary.keys)
    const index: Record<string, number> = Object.create(null)
    summary.keys.forEach((key, flag) => (index[key] = flag))
    return new Ruleset({ ...summary, index, handle })
  }

  get revision(): number {
    return this.#rules.revision
  }

  get environment(): string {
    return this.#rules.environment
  }

  /** Every flag's key, sorted. */
  get keys(): readonly Key[] {
    return this.#rules.keys
  }

  /** The SHA-256 of the snapshot's canonical form: what the server's ETag carries. */
  get digest(): string {
    return this.#rules.digest
  }

  /** Every flag for one tenant. */
  forTenant(subject: Document<Subject>): Flags<Key> {
    return this.#quickly(linesOf(subject)) ?? this.#strictly(subject)
  }

  /** One flag for one tenant. Tenants are remembered, but where several flags are read `forTenant` is the faster way. */
  isEnabled(key: Key, subject: Document<Subject>): boolean {
    const lines = linesOf(subject)
    let flags = this.#remembered.get(lines)
    if (!flags) {
      flags = this.#quickly(lines)
      if (!flags) return this.#strictly(subject).isEnabled(key)
      if (this.#remembered.size === REMEMBERED) this.#remembered.delete(this.#remembered.keys().next().value as string)
      this.#remembered.set(lines, flags)
    }
    return flags.isEnabled(key)
  }

  /** SHA-256 over every subject's flags: equal wherever the same snapshot and subjects are evaluated. */
  fingerprint(subjects: Document<readonly Subject[]>): string {
    const source = toSource(subjects)
    return asking(() => handleOf(this.#rules).fingerprint(source))
  }

  /** Gives back the engine's memory now, instead of when this object is collected. Flags that were read stay readable. */
  free(): void {
    this.#rules.handle?.free()
    this.#rules.handle = undefined
    this.#remembered.clear()
  }

  [Symbol.dispose](): void {
    this.free()
  }

  #quickly(lines: string): Flags<Key> | undefined {
    const bits = handleOf(this.#rules).evaluate(lines)
    return bits && new Flags(this.#rules, lines, bits)
  }

  /** For subjects that are not plain objects of well-formed names: most are at fault, and this says how. */
  #strictly(subject: Document<Subject>): Flags<Key> {
    const source = toSource(subject)
    return this.#quickly(asking(() => engine().subject(source))) as Flags<Key>
  }
}

/** The members of a subject. */
const MEMBERS: { readonly [name: string]: unknown } = Object.assign(Object.create(null), {
  tenantId: 1, tenantSlug: 1, plan: 1, partnerSlug: 1, environment: 1,
})

/** Whether reading a member of a plain object could find one that is not its own. */
const isInherited = ({ prototype }: ObjectConstructor): boolean =>
  'tenantId' in prototype || 'tenantSlug' in prototype || 'plan' in prototype || 'partnerSlug' in prototype || 'environment' in prototype

/** A plain subject as an engine's five lines; '' for anything that needs a closer look, unknown members among it. */
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

/** An empty text stands for an absent one between lines, so that one that is given must not pass for it. */
const isLine = (value: unknown): boolean => typeof value === 'string' && value !== ''
