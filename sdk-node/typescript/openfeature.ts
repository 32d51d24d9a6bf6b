/** An OpenFeature provider on the engine of this process. */
import {
  type EvaluationContext, type JsonValue, OpenFeatureEventEmitter, type Provider, type ProviderEvents, type ResolutionDetails,
} from '@openfeature/server-sdk'
import { mismatch, Resolver } from '../../sdk-wasm/typescript/shared/openfeature.js'
import type { Client, Document, Ruleset } from './index.js'

/**
 * Answers in this process, from a snapshot, or from a live client, whose news it tells: ready, stale, configuration changed, and an error
 * that is fatal. The evaluation context is the tenant: `targetingKey` is its id, and `tenantSlug`, `plan`, `partnerSlug` and `environment` are
 * as in a subject. Closing the provider does not close the client, which others may read from.
 */
export class DezkyProvider implements Provider {
  readonly metadata = { name: 'dezky' }
  readonly runsOn = 'server'
  readonly events = new OpenFeatureEventEmitter()
  readonly #resolver: Resolver

  constructor(source: Document<object> | Client) {
    this.#resolver = new Resolver(source, (event, details) => this.events.emit(event as ProviderEvents, details))
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
