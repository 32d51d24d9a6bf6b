/// <reference lib="esnext.disposable" preserve="true" />
/** The population of all tenants, and validation of the model's documents. */
import { population } from './current.js'
import type { WorldHandle } from './engine.js'
import { callEngine, DezkyError, fail } from './error.js'
import { parseExactly } from './exact-json.js'
import type { Change, Counts, Edit, Flag, Ladder, Partner, Plan, Subscription, Tenant, User } from './model.js'
import type { Document, Problem, Snapshot } from './types.js'
import { toSource, toText } from './write.js'

/**
 * Every tenant, partner and flag at one revision. A world is immutable.
 *
 * @example
 * const world = World.fromJson(document)
 * world.plan({ edits: [{ kind: 'patchFlag', key: 'new-portal', patch: { pct: 50 } }] }).gained
 */
export class World {
  #handle: WorldHandle | undefined
  readonly revision: number
  readonly environment: string
  /** The number of registered tenants: all except terminated ones. */
  readonly registered: number

  private constructor(handle: WorldHandle) {
    this.#handle = handle
    this.revision = handle.revision
    this.environment = handle.environment
    this.registered = handle.registered
  }

  /** Parses a world document strictly. */
  static fromJson(document: Document<object>): World {
    const source = toSource(document)
    return new World(callEngine(() => population().world(source)))
  }

  /** Computes exactly which tenants gain and lose which flags by an edit, without applying it. */
  plan(edit: Document<Edit>): Plan {
    const source = toSource(edit)
    return this.#query((handle) => handle.plan(source))
  }

  /**
   * Returns the tenants of a flag's scope in the order in which a rising percentage includes them.
   */
  ladder(key: string): Ladder {
    const text = toText(key, '/key')
    return this.#query((handle) => handle.ladder(text))
  }

  /** Counts the tenants in a flag's scope, and those for whom it is on. */
  counts(key: string): Counts {
    const text = toText(key, '/key')
    return this.#query((handle) => handle.counts(text))
  }

  /** Returns a SHA-256 over every registered tenant's flags, equal to `Ruleset.fingerprint`. */
  fingerprint(): string {
    return this.#open().fingerprint()
  }

  /** Frees the engine's memory now instead of at garbage collection. */
  free(): void {
    this.#handle?.free()
    this.#handle = undefined
  }

  [Symbol.dispose](): void {
    this.free()
  }

  #open(): WorldHandle {
    return this.#handle ?? fail('released')
  }

  #query<Answer>(query: (handle: WorldHandle) => string): Answer {
    return JSON.parse(callEngine(() => query(this.#open())))
  }
}

/** A validated document in its normal form, defaults included; or all its problems. */
export type Validation<Valid> =
  | { readonly ok: Valid; readonly errors?: never }
  | { readonly ok?: never; readonly errors: readonly Problem[] }

function validator<Valid>(kind: string): (document: unknown) => Validation<Valid> {
  return (document) => {
    const models = population()
    try {
      const source = toSource(document)
      return { ok: parseExactly(callEngine(() => models.validate(kind, source))) as Valid }
    } catch (error) {
      if (error instanceof DezkyError) return { errors: error.errors }
      throw error
    }
  }
}

/**
 * Validates documents as strictly as the server does.
 *
 * @example
 * const { ok, errors } = validate.tenant(input)
 */
export const validate = {
  tenant: validator<Tenant>('tenant'),
  partner: validator<Partner>('partner'),
  user: validator<User>('user'),
  subscription: validator<Subscription>('subscription'),
  flag: validator<Flag>('flag'),
  change: validator<Change>('change'),
  /** Returns the canonical form. */
  snapshot: validator<Snapshot>('snapshot'),
}
