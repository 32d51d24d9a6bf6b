/** The engine over flags.wasm: flags and access. */
import { type ModuleExports, openBuffers } from './buffers.js'
import type { Engine, RulesetHandle } from './shared/engine.js'

/** The exports of flags.wasm: the methods of `Evaluation` in src/evaluation.rs. */
export interface FlagsExports extends ModuleExports {
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
  const { self, memory, write, read, freeOnCollection, release } = openBuffers(flags, flags.free_ruleset)

  class Handle implements RulesetHandle {
    readonly summary: string
    readonly #number: number
    readonly #bytes: number

    constructor(number: number) {
      this.summary = read()
      this.#number = number
      this.#bytes = (JSON.parse(this.summary).keys.length + 7) >> 3
      freeOnCollection(this, number)
    }

    /** The hot path. Names are short and ASCII, so copying byte by byte beats `TextEncoder`. */
    evaluate(lines: string): Uint8Array | undefined {
      const { length } = lines
      const input = flags.input(self, length) >>> 0
      const bytes = memory()
      for (let at = 0; at < length; at++) {
        const byte = lines.charCodeAt(at)
        if (byte > 127) return undefined
        bytes[input + at] = byte
      }
      if (!flags.evaluate(self, this.#number, this.#bytes)) return undefined
      const output = flags.output(self) >>> 0
      return memory().slice(output, output + this.#bytes)
    }

    explain(lines: string, key: string): string {
      flags.explain(self, this.#number, write(lines, key))
      return read()
    }

    fingerprint(subjects: string | Uint8Array): string {
      write(subjects)
      flags.fingerprint(self, this.#number)
      return read()
    }

    free(): void {
      release(this, this.#number)
    }
  }

  return {
    name: 'wasm',
    ruleset(snapshot) {
      write(snapshot)
      return new Handle(flags.ruleset(self))
    },
    subject(document) {
      write(document)
      flags.subject(self)
      return read()
    },
    can(question) {
      write(question)
      flags.can(self)
      return read()
    },
    rolloutPosition: (tenantId, key) => flags.position(self, write(tenantId, key)),
    changedKeys(before, after) {
      flags.changed_keys(self, write(before, after))
      return read()
    },
  }
}
