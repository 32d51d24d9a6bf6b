/** An OpenFeature provider on the engine of this process. */
import {
  type EvaluationContext, type JsonValue, OpenFeatureEventEmitter, type Provider, ProviderEvents, type ResolutionDetails,
} from '@openfeature/server-sdk'
import { mismatch, Resolver } from '../../sdk-wasm/typescript/shared/openfeature.js'
import type { Document, Ruleset } from './index.js'

/**
 * Answers from a snapshot that is held in this process. The evaluation context is the tenant: `targetingKey` is its id, and
 * `tenantSlug`, `plan`, `partnerSlug` and `environment` are as in a subject.
 */
export class DezkyProvider implements Provider {
  readonly metadata = { name: 'dezky' }
  readonly runsOn = 'server'
  readonly events = new OpenFeatureEventEmitter()
  readonly #resolver: Resolver

  constructor(snapshot: Document<object>) {
    this.#resolver = new Resolver(snapshot)
  }

  /** The rules in force. */
  get rules(): Ruleset {
    return this.#resolver.rules
  }

  /** Takes a newer snapshot, and says which flags it changes. One that is malformed is thrown, and the rules stay. */
  replace(snapshot: Document<object>): void {
    const flagsChanged = this.#resolver.replace(snapshot)
    if (flagsChanged) this.events.emit(ProviderEvents.ConfigurationChanged, { flagsChanged })
  }

  async initialize(): Promise<void> {
    // At once: an SDK that says so itself listens only later, one that leaves it to its providers listens already.
    this.events.emit(ProviderEvents.Ready)
  }

  async resolveBooleanEvaluation(key: string, fallback: boolean, context: EvaluationContext): Promise<ResolutionDetails<boolean>> {
    return this.#resolver.resolve(key, fallback, context) as ResolutionDetails<boolean>
  }

  async resolveStringEvaluation(_: string, fallback: string): Promise<ResolutionDetails<string>> {
    return mismatch(fallback) as ResolutionDetails<string>
  }

  async resolveNumberEvaluation(_: string, fallback: number): Promise<ResolutionDetails<number>> {
    return mismatch(fallback) as ResolutionDetails<number>
  }

  async resolveObjectEvaluation<Value extends JsonValue>(_: string, fallback: Value): Promise<ResolutionDetails<Value>> {
    return mismatch(fallback) as ResolutionDetails<Value>
  }
}
