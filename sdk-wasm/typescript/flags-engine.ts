/** The engine on flags.wasm: flags and access. */
import { crossing, type Exports } from './crossing.js'
import type { Engine, RulesetHandle } from './shared/engine.js'

/** What flags.wasm exports: the methods of `Evaluation` in src/evaluation.rs. */
export interface FlagsExports extends Exports {
  ruleset(self: number): number
  free_ruleset(self: number, number: number): void
  evaluate(self: number, number: number, bytes: number): number
  explain(self: number, number: number, split: number): void
  fingerprint(self: number, number: number): void
  subject(self: number): void
  can(self: number): void
  position(self: number, split: number): number
  changed_keys(self: number, split: number): void
}

export function flagsEngine(flags: FlagsExports): Engine {
  const { self, view, give, take, watch, release } = crossing(flags, flags.free_ruleset)

  class Handle implements RulesetHandle {
    readonly summary: string
    readonly #number: number
    readonly #bytes: number

    constructor(number: number) {
      this.summary = take()
      this.#number = number
      this.#bytes = (JSON.parse(this.summary).keys.length + 7) >> 3
      watch(this, number)
    }

    /** The hot path. Names are ASCII, and short: byte by byte is faster than an encoder. */
    evaluate(lines: string): Uint8Array | undefined {
      const { length } = lines
      const input = flags.input(self, length) >>> 0
      const memory = view()
      for (let at = 0; at < length; at++) {
        const byte = lines.charCodeAt(at)
        if (byte > 127) return undefined
        memory[input + at] = byte
      }
      if (!flags.evaluate(self, this.#number, this.#bytes)) return undefined
      const output = flags.output(self) >>> 0
      return view().slice(output, output + this.#bytes)
    }

    explain(lines: string, key: string): string {
      flags.explain(self, this.#number, give(lines, key))
      return take()
    }

    fingerprint(subjects: string | Uint8Array): string {
      give(subjects)
      flags.fingerprint(self, this.#number)
      return take()
    }

    free(): void {
      release(this, this.#number)
    }
  }

  return {
    name: 'wasm',
    ruleset(snapshot) {
      give(snapshot)
      return new Handle(flags.ruleset(self))
    },
    subject(document) {
      give(document)
      flags.subject(self)
      return take()
    },
    can(question) {
      give(question)
      flags.can(self)
      return take()
    },
    rolloutPosition: (tenantId, key) => flags.position(self, give(tenantId, key)),
    changedKeys(before, after) {
      flags.changed_keys(self, give(before, after))
      return take().trimEnd()
    },
  }
}
