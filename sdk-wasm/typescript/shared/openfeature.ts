/** The common part of both OpenFeature providers. */
import { changedKeys } from './changed.js'
import type { Client } from './client.js'
import { DezkyError, fail } from './error.js'
import { ownMembers } from './own-members.js'
import { Ruleset } from './ruleset.js'
import type { Document, Explanation, Problem, Reason, Subject } from './types.js'
import { toSource } from './write.js'

/** The used part of OpenFeature's `ResolutionDetails`; its enums have these string values. */
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

/** Emits a provider event; the names are the values of OpenFeature's enum. */
type Emit = (event: `PROVIDER_${'READY' | 'STALE' | 'ERROR' | 'CONFIGURATION_CHANGED'}`, details?: Record<string, unknown>) => void

/** Evaluates for a provider, from a replaceable snapshot or from a live client. */
export class Resolver {
  readonly #emit: Emit
  readonly #client: Client | undefined
  #snapshot: Document<object> = ''
  #rules: Ruleset | undefined
  #removals: (() => void)[] = []

  constructor(source: Document<object> | Client, emit: Emit) {
    this.#emit = emit
    this.#client = isClient(source) ? source : undefined
    if (isClient(source)) return
    this.#snapshot = toSource(source)
    this.#rules = Ruleset.fromSnapshot(this.#snapshot)
  }

  get rules(): Ruleset {
    return this.#client?.ruleset ?? (this.#rules as Ruleset)
  }

  /** Replaces the snapshot and emits the changed keys, unless the snapshots are equal. */
  replace(snapshot: Document<object>): void {
    if (this.#client) fail('invalid_option', '/snapshot')
    const source = toSource(snapshot)
    const rules = Ruleset.fromSnapshot(source)
    if (rules.digest === this.rules.digest) return
    const flagsChanged = changedKeys(this.#snapshot, source)
    this.#snapshot = source
    this.#rules = rules
    this.#emit('PROVIDER_CONFIGURATION_CHANGED', { flagsChanged })
  }

  /** Starts to forward the client's events. Rejects if the client is closed. */
  async start(): Promise<void> {
    const client = this.#client
    if (client?.status === 'closed') throw this.#fatal('the client is closed')
    // Emit synchronously: SDKs that emit this event themselves subscribe later and miss it, while
    // SDKs that rely on their providers have subscribed already.
    this.#emit('PROVIDER_READY')
    if (!client) return
    const emitStale = () => this.#emit('PROVIDER_STALE', { message: 'the server has not confirmed the flags for a while' })
    // The client keeps answering, so this error is not fatal.
    const emitRefused = (message: string) => this.#emit('PROVIDER_ERROR', { message, errorCode: 'GENERAL' })
    // Emit later: the SDK marks the provider ready when this method resolves.
    const timer = setTimeout(() => {
      if (client.status === 'stale') emitStale()
      if (client.status === 'refused') emitRefused('the server refuses the key')
    }, 0)
    this.stop()
    this.#removals = [
      () => clearTimeout(timer),
      client.on('ready', () => this.#emit('PROVIDER_READY')),
      client.on('stale', emitStale),
      client.on('change', ({ keys }) => this.#emit('PROVIDER_CONFIGURATION_CHANGED', { flagsChanged: [...keys] })),
      client.on('error', ({ code, message }) => code === 'key_refused' && emitRefused(`${code}: ${message}`)),
    ]
  }

  /** Stops forwarding events. The client stays open: its owner closes it. */
  stop(): void {
    for (const remove of this.#removals.splice(0)) remove()
  }

  #fatal(message: string): Error {
    this.#emit('PROVIDER_ERROR', { message, errorCode: 'PROVIDER_FATAL' })
    return Object.assign(new Error(message), { code: 'PROVIDER_FATAL' })
  }

  /**
   * Evaluates a flag. The targeting key is the tenant's id; other members are named as in a
   * subject.
   */
  resolve(key: string, fallback: boolean, context: Context): Details<boolean> {
    const { targetingKey, tenantSlug, plan, partnerSlug, environment } = ownMembers(context)
    if (targetingKey === undefined || targetingKey === null || targetingKey === '')
      return failed(fallback, 'TARGETING_KEY_MISSING', 'the targeting key is the id of the tenant')
    const { rules } = this
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

/** Recognizes a client by the methods of its class; a document has none. */
function isClient(source: Document<object> | Client): source is Client {
  const prototype: unknown = source && Object.getPrototypeOf(source)
  return !!prototype && prototype !== Object.prototype && Object.hasOwn(prototype, 'forTenant')
}

/** The result for other types: every flag is a boolean. */
export const mismatch = <Value>(fallback: Value): Details<Value> => failed(fallback, 'TYPE_MISMATCH', 'every flag is a boolean')

function failed<Value>(value: Value, errorCode: NonNullable<Details<Value>['errorCode']>, errorMessage: string): Details<Value> {
  return { value, reason: 'ERROR', errorCode, errorMessage }
}

function detailsOf(explanation: Explanation, fallback: boolean, set: NonNullable<Details<boolean>['flagMetadata']>): Details<boolean> {
  const { key, enabled, reason, axis, position, pct } = ownMembers(explanation)
  if (reason === 'unknown_flag') return { ...failed(fallback, 'FLAG_NOT_FOUND', `there is no flag ${key}`), flagMetadata: set }
  const flagMetadata = { ...set }
  if (axis) flagMetadata['missedAxis'] = axis
  if (position !== undefined && pct !== undefined) Object.assign(flagMetadata, { bucket: position, pct })
  return { value: enabled, reason: REASONS[reason], variant: enabled ? 'on' : 'off', flagMetadata }
}

/** Formats a problem, with the member's name in an evaluation context. */
const toSentence = ({ code, path, message }: Problem): string =>
  `${code} at "${path.replace('/tenantId', '/targetingKey')}": ${message}`
