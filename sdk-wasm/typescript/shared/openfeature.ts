/** What an OpenFeature provider answers, in the words of OpenFeature; the providers add only what their SDK asks for. */
import { changedKeys } from './changed.js'
import { DezkyError } from './error.js'
import { Ruleset } from './ruleset.js'
import type { Document, Explanation, Problem, Reason, Subject } from './types.js'
import { toSource } from './write.js'

/** The part of OpenFeature's `ResolutionDetails` that is used here; its enums are these texts. */
export interface Details<Value> {
  value: Value
  reason: string
  variant?: string
  errorCode?: 'FLAG_NOT_FOUND' | 'INVALID_CONTEXT' | 'TARGETING_KEY_MISSING' | 'TYPE_MISMATCH'
  errorMessage?: string
  flagMetadata?: Record<string, string | number | boolean>
}

type Context = { readonly [name: string]: unknown }

const REASONS: { readonly [reason in Exclude<Reason, 'unknown_flag'>]: string } = {
  off: 'DISABLED',
  on: 'STATIC',
  targeted: 'TARGETING_MATCH',
  empty_scope: 'DEFAULT',
  out_of_scope: 'DEFAULT',
  in_rollout: 'SPLIT',
  out_of_rollout: 'SPLIT',
}

/** A snapshot that can be replaced by a newer one, and what it says of each flag. */
export class Resolver {
  #snapshot: Document<object>
  #rules: Ruleset

  constructor(snapshot: Document<object>) {
    this.#snapshot = toSource(snapshot)
    this.#rules = Ruleset.fromSnapshot(this.#snapshot)
  }

  get rules(): Ruleset {
    return this.#rules
  }

  /** Takes a newer snapshot; answers the keys of the flags that differ, or nothing where the snapshots are the same. */
  replace(snapshot: Document<object>): string[] | undefined {
    const source = toSource(snapshot)
    const rules = Ruleset.fromSnapshot(source)
    if (rules.digest === this.#rules.digest) return undefined
    const changed = changedKeys(this.#snapshot, source)
    this.#snapshot = source
    this.#rules = rules
    return changed
  }

  /** The tenant is the context: its id the targeting key, the rest under the names of a subject. */
  resolve(key: string, fallback: boolean, context: Context): Details<boolean> {
    const { targetingKey, tenantSlug, plan, partnerSlug, environment } = context
    if (targetingKey === undefined || targetingKey === null || targetingKey === '')
      return failed(fallback, 'TARGETING_KEY_MISSING', 'the targeting key is the id of the tenant')
    const rules = this.#rules
    try {
      const tenant = rules.forTenant({ tenantId: targetingKey, tenantSlug, plan, partnerSlug, environment } as Subject)
      const set = { version: `rev-${rules.revision}`, flagSetId: rules.environment, contextId: targetingKey as string }
      return detailsOf(tenant.explain(key), fallback, set)
    } catch (error) {
      if (error instanceof DezkyError) return failed(fallback, 'INVALID_CONTEXT', error.errors.map(toSentence).join('; '))
      throw error
    }
  }
}

/** There are flags of no other type. */
export const mismatch = <Value>(fallback: Value): Details<Value> => failed(fallback, 'TYPE_MISMATCH', 'every flag is a boolean')

function failed<Value>(value: Value, errorCode: NonNullable<Details<Value>['errorCode']>, errorMessage: string): Details<Value> {
  return { value, reason: 'ERROR', errorCode, errorMessage }
}

function detailsOf(explanation: Explanation, fallback: boolean, set: NonNullable<Details<boolean>['flagMetadata']>): Details<boolean> {
  const { key, enabled, reason, axis, position, pct } = explanation
  if (reason === 'unknown_flag') return { ...failed(fallback, 'FLAG_NOT_FOUND', `there is no flag ${key}`), flagMetadata: set }
  const flagMetadata = { ...set }
  if (axis) flagMetadata['missedAxis'] = axis
  if (position !== undefined && pct !== undefined) Object.assign(flagMetadata, { bucket: position, pct })
  return { value: enabled, reason: REASONS[reason], variant: enabled ? 'on' : 'off', flagMetadata }
}

/** Names the member by what it is called in a context. */
const toSentence = ({ code, path, message }: Problem): string =>
  `${code} at "${path.replace('/tenantId', '/targetingKey')}": ${message}`
