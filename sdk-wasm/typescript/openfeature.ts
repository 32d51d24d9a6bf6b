/** The OpenFeature provider for the web SDK, which evaluates synchronously. */
import {
  type EvaluationContext, type JsonValue, OpenFeatureEventEmitter, type Provider, type ResolutionDetails,
} from '@openfeature/web-sdk'
import type { Client } from './shared/client.js'
import { mismatch, Resolver } from './shared/openfeature.js'
import type { Ruleset } from './shared/ruleset.js'
import type { Document } from './shared/types.js'

/**
 * Evaluates flags in the page, from a snapshot or from a live client. With a live client the
 * provider emits OpenFeature events: ready, stale, configuration changed, and an error while the
 * server refuses the key. The evaluation context is the tenant: `targetingKey` is its id;
 * `tenantSlug`, `plan`, `partnerSlug` and `environment` are the members of a subject. Closing the
 * provider leaves the client open, because other code may read from it.
 *
 * @example
 * await init()
 * await OpenFeature.setContext({ targetingKey: 't1', tenantSlug: 'acme', plan: 'business' })
 * await OpenFeature.setProviderAndWait(new DezkyProvider(snapshot))
 */
export class DezkyProvider implements Provider {
  readonly metadata = { name: 'dezky' }
  readonly runsOn = 'client'
  readonly events = new OpenFeatureEventEmitter()
  readonly #resolver: Resolver

  /** Requires a loaded engine: call `await init()` or `await connect(…)` first. */
  constructor(source: Document<object> | Client) {
    this.#resolver = new Resolver(source, (event, details) => this.events.emit(event as never, details))
  }

  /** The ruleset that answers now. */
  get rules(): Ruleset {
    return this.#resolver.rules
  }

  /**
   * Replaces the snapshot and emits the keys of the changed flags. Throws if the snapshot is
   * malformed, and keeps the old rules. Throws if the provider reads from a live client.
   */
  replace(snapshot: Document<object>): void {
    this.#resolver.replace(snapshot)
  }

  initialize(): Promise<void> {
    return this.#resolver.start()
  }

  async onClose(): Promise<void> {
    this.#resolver.stop()
  }

  /** Does nothing: each evaluation receives its context, so no state depends on it. */
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
