/** Adapts the native addon to the engine interface. */
import type { Engine, Population, RulesetHandle, Source, WorldHandle } from './shared.js'

/** The exports of the Rust code in `src/`. */
export interface Addon extends Omit<Engine, 'name' | 'ruleset'>, Pick<Population, 'validate'> {
  version(): string
  Rules: new (snapshot: Source) => NativeRules
  World: new (document: Source) => WorldHandle
}

interface NativeRules extends Omit<RulesetHandle, 'evaluate'> {
  /**
   * Like `evaluate`, but returns one character per byte: Node creates strings faster than byte
   * arrays.
   */
  bits(lines: string): string | null
}

export function nativeEngine({ Rules, subject, can, rolloutPosition, changedKeys }: Addon): Engine {
  class Handle extends Rules implements RulesetHandle {
    evaluate(lines: string): Uint8Array | undefined {
      const text = this.bits(lines)
      if (text === null) return undefined
      const bits = new Uint8Array(text.length)
      for (let at = 0; at < bits.length; at++) bits[at] = text.charCodeAt(at)
      return bits
    }
  }
  return { name: 'native', ruleset: (snapshot) => new Handle(snapshot), subject, can, rolloutPosition, changedKeys }
}

export function nativePopulation({ World, validate }: Addon): Population {
  return { world: (document) => new World(document), validate }
}
