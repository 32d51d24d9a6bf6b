/** An OpenFeature provider for the web, whose SDK asks synchronously. */
import {
  type EvaluationContext, type JsonValue, OpenFeatureEventEmitter, type Provider, ProviderEvents, type ResolutionDetails,
} from '@openfeature/web-sdk'
import { mismatch, Resolver } from './shared/openfeature.js'
import type { Ruleset } from './shared/ruleset.js'
import type { Document } from './shared/types.js'

/**
 * Answers from a snapshot that is held in this page. The evaluation context is the tenant: `targetingKey` is its id, and
 * `tenantSlug`, `plan`, `partnerSlug` and `environment` are as in a subject.
 */
export class DezkyProvider implements Provider {
  readonly metadata = { name: 'dezky' }
  readonly runsOn = 'client'
  readonly events = new OpenFeatureEventEmitter()
  readonly #resolver: Resolver

  /** The engine must be ready: `await init()` comes first. */
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

  /** Every answer is computed from the context that comes with the question, so that there is nothing to reconcile. */
  onContextChange(): void {}

  resolveBooleanEvaluation(key: string, fallback: boolean, context: EvaluationContext): ResolutionDetails<boolean> {
    return this.#resolver.resolve(key, fallback, context) as ResolutionDetails<boolean>
  }

  resolveStringEvaluation(_: string, fallback: string): ResolutionDetails<string> {
    return mismatch(fallback) as ResolutionDetails<string>
  }

  resolveNumberEvaluation(_: string, fallback: number): ResolutionDetails<number> {
    return mismatch(fallback) as ResolutionDetails<number>
  }

  resolveObjectEvaluation<Value extends JsonValue>(_: string, fallback: Value): ResolutionDetails<Value> {
    return mismatch(fallback) as ResolutionDetails<Value>
  }
}
