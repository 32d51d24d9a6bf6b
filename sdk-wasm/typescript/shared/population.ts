/// <reference lib="esnext.disposable" preserve="true" />
/** The whole population, and the model's documents. */
import { population } from './current.js'
import type { WorldHandle } from './engine.js'
import { asking, DezkyError, fail } from './error.js'
import { parseExactly } from './exact.js'
import type {
  Change, Counts, Document, Edit, Flag, Ladder, Partner, Plan, Problem, Snapshot, Subscription, Tenant, User,
} from './types.js'
import { toSource, toText } from './write.js'

/** Every tenant, partner and flag at one revision. It never changes. */
export class World {
  #handle: WorldHandle | undefined
  readonly revision: number
  readonly environment: string
  /** How many tenants are registered: all but the terminated ones. */
  readonly registered: number

  private constructor(handle: WorldHandle) {
    this.#handle = handle
    this.revision = handle.revision
    this.environment = handle.environment
    this.registered = handle.registered
  }

  /** Reads a world document strictly. */
  static fromJson(document: Document<object>): World {
    const source = toSource(document)
    return new World(asking(() => population().world(source)))
  }

  /** Who would gain and who would lose by an edit, exactly. */
  plan(edit: Document<Edit>): Plan {
    const source = toSource(edit)
    return this.#ask((handle) => handle.plan(source))
  }

  /** In which order a rising percentage includes the tenants of a flag's scope. */
  ladder(key: string): Ladder {
    const text = toText(key, '/key')
    return this.#ask((handle) => handle.ladder(text))
  }

  /** How many tenants a flag concerns. */
  counts(key: string): Counts {
    const text = toText(key, '/key')
    return this.#ask((handle) => handle.counts(text))
  }

  /** SHA-256 over every registered tenant's flags, as `Ruleset.fingerprint` has it for the same tenants. */
  fingerprint(): string {
    return this.#open().fingerprint()
  }

  /** Gives back the engine's memory now, instead of when this object is collected. */
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

  #ask<Answer>(ask: (handle: WorldHandle) => string): Answer {
    return JSON.parse(asking(() => ask(this.#open())))
  }
}

/** A document as it is written back, defaults filled in; or everything that is wrong with it. */
export type Validation<Valid> =
  | { readonly ok: Valid; readonly errors?: never }
  | { readonly ok?: never; readonly errors: readonly Problem[] }

function validator<Valid>(kind: string): (document: unknown) => Validation<Valid> {
  return (document) => {
    const models = population()
    try {
      const source = toSource(document)
      return { ok: parseExactly(asking(() => models.validate(kind, source))) as Valid }
    } catch (error) {
      if (error instanceof DezkyError) return { errors: error.errors }
      throw error
    }
  }
}

/** Reads documents as strictly as the server does. */
export const validate = {
  tenant: validator<Tenant>('tenant'),
  partner: validator<Partner>('partner'),
  user: validator<User>('user'),
  subscription: validator<Subscription>('subscription'),
  flag: validator<Flag>('flag'),
  change: validator<Change>('change'),
  /** Its canonical form. */
  snapshot: validator<Snapshot>('snapshot'),
}
