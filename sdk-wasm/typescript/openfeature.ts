/** An OpenFeature provider for the web, whose SDK asks synchronously. */
import {
  type EvaluationContext, type JsonValue, OpenFeatureEventEmitter, type Provider, type ResolutionDetails,
} from '@openfeature/web-sdk'
import type { Client } from './shared/client.js'
import { mismatch, Resolver } from './shared/openfeature.js'
import type { Ruleset } from './shared/ruleset.js'
import type { Document } from './shared/types.js'

/**
 * Answers in this page, from a snapshot, or from a live client, whose news it tells: ready, stale, configuration changed, and an error
 * that is fatal. The evaluation context is the tenant: `targetingKey` is its id, and `tenantSlug`, `plan`, `partnerSlug` and `environment` are
 * as in a subject. Closing the provider does not close the client, which others may read from.
 */
export class DezkyProvider implements Provider {
  readonly metadata = { name: 'dezky' }
  readonly runsOn = 'client'
  readonly events = new OpenFeatureEventEmitter()
  readonly #resolver: Resolver

  /** The engine must be ready: `await init()` comes first, or `await connect(…)`. */
  constructor(source: Document<object> | Client) {
    this.#resolver = new Resolver(source, (event, details) => this.events.emit(event as never, details))
  }

  /** The rules in force. */
  get rules(): Ruleset {
    return this.#resolver.rules
  }

  /** Takes a newer snapshot, and says which flags it changes. One that is malformed is thrown, and the rules stay. Not with a client. */
  replace(snapshot: Document<object>): void {
    this.#resolver.replace(snapshot)
  }

  initialize(): Promise<void> {
    return this.#resolver.start()
  }

  async onClose(): Promise<void> {
    this.#resolver.stop()
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
