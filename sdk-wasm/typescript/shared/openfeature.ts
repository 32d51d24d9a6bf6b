/** What an OpenFeature provider answers, in the words of OpenFeature; the providers add only what their SDK asks for. */
import { changedKeys } from './changed.js'
import type { Client } from './client.js'
import { DezkyError, fail } from './error.js'
import { own } from './own.js'
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

/** What a provider tells of itself; these are the texts of OpenFeature's enum. */
type Emit = (event: `PROVIDER_${'READY' | 'STALE' | 'ERROR' | 'CONFIGURATION_CHANGED'}`, details?: Record<string, unknown>) => void

/** Where a provider's rules come from: a snapshot that can be replaced by a newer one, or a live client, which replaces it by itself. */
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

  /** Takes a newer snapshot, and tells which flags differ where some do. */
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

  /** From here on what happens to the client is told. A client that is closed is an error. */
  async start(): Promise<void> {
    const client = this.#client
    if (client?.status === 'closed') throw this.#fatal('the client is closed')
    // At once: an SDK that says so itself listens only later, one that leaves it to its providers listens already.
    this.#emit('PROVIDER_READY')
    if (!client) return
    const tellStale = () => this.#emit('PROVIDER_STALE', { message: 'the server has not confirmed the flags for a while' })
    // It goes on answering: that is an error, not a fatal one.
    const tellRefused = (message: string) => this.#emit('PROVIDER_ERROR', { message, errorCode: 'GENERAL' })
    // Later: whoever initializes takes the provider for ready then.
    const telling = setTimeout(() => {
      if (client.status === 'stale') tellStale()
      if (client.status === 'refused') tellRefused('the server refuses the key')
    }, 0)
    this.stop()
    this.#removals = [
      () => clearTimeout(telling),
      client.on('ready', () => this.#emit('PROVIDER_READY')),
      client.on('stale', tellStale),
      client.on('change', ({ keys }) => this.#emit('PROVIDER_CONFIGURATION_CHANGED', { flagsChanged: [...keys] })),
      client.on('error', ({ code, message }) => code === 'key_refused' && tellRefused(`${code}: ${message}`)),
    ]
  }

  /** Nothing is told any more. The client is whose it was: it goes on. */
  stop(): void {
    for (const remove of this.#removals.splice(0)) remove()
  }

  #fatal(message: string): Error {
    this.#emit('PROVIDER_ERROR', { message, errorCode: 'PROVIDER_FATAL' })
    return Object.assign(new Error(message), { code: 'PROVIDER_FATAL' })
  }

  /** The tenant is the context: its id the targeting key, the rest under the names of a subject. */
  resolve(key: string, fallback: boolean, context: Context): Details<boolean> {
    const { targetingKey, tenantSlug, plan, partnerSlug, environment } = own(context)
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

/** A client has its methods from its class, a document has none. */
function isClient(source: Document<object> | Client): source is Client {
  const prototype: unknown = source && Object.getPrototypeOf(source)
  return !!prototype && prototype !== Object.prototype && Object.hasOwn(prototype, 'forTenant')
}

/** There are flags of no other type. */
export const mismatch = <Value>(fallback: Value): Details<Value> => failed(fallback, 'TYPE_MISMATCH', 'every flag is a boolean')

function failed<Value>(value: Value, errorCode: NonNullable<Details<Value>['errorCode']>, errorMessage: string): Details<Value> {
  return { value, reason: 'ERROR', errorCode, errorMessage }
}

function detailsOf(explanation: Explanation, fallback: boolean, set: NonNullable<Details<boolean>['flagMetadata']>): Details<boolean> {
  const { key, enabled, reason, axis, position, pct } = own(explanation)
  if (reason === 'unknown_flag') return { ...failed(fallback, 'FLAG_NOT_FOUND', `there is no flag ${key}`), flagMetadata: set }
  const flagMetadata = { ...set }
  if (axis) flagMetadata['missedAxis'] = axis
  if (position !== undefined && pct !== undefined) Object.assign(flagMetadata, { bucket: position, pct })
  return { value: enabled, reason: REASONS[reason], variant: enabled ? 'on' : 'off', flagMetadata }
}

/** Names the member by what it is called in a context. */
const toSentence = ({ code, path, message }: Problem): string =>
  `${code} at "${path.replace('/tenantId', '/targetingKey')}": ${message}`
