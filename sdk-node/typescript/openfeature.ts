/** The OpenFeature provider for the server SDK. */
import {
  type EvaluationContext, type JsonValue, OpenFeatureEventEmitter, type Provider, type ProviderEvents, type ResolutionDetails,
} from '@openfeature/server-sdk'
import type { Client, Document, Ruleset } from './index.js'
import { mismatch, Resolver } from './shared.js'

/**
 * Evaluates flags in this process, from a snapshot or from a live client. With a live client the
 * provider emits OpenFeature events: ready, stale, configuration changed, and an error while the
 * server refuses the key. The evaluation context is the tenant: `targetingKey` is its id;
 * `tenantSlug`, `plan`, `partnerSlug` and `environment` are the members of a subject. Closing the
 * provider leaves the client open, because other code may read from it.
 *
 * @example
 * await OpenFeature.setProviderAndWait(new DezkyProvider(await connect({ url, key })))
 * const tenant = { targetingKey: 't1', tenantSlug: 'acme', plan: 'business' }
 * await OpenFeature.getClient().getBooleanValue('new-portal', false, tenant)
 */
export class DezkyProvider implements Provider {
  readonly metadata = { name: 'dezky' }
  readonly runsOn = 'server'
  readonly events = new OpenFeatureEventEmitter()
  readonly #resolver: Resolver

  constructor(source: Document<object> | Client) {
    this.#resolver = new Resolver(source, (event, details) => this.events.emit(event as ProviderEvents, details))
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
