/** Text into a WASM module and out of it, through one buffer each way. */
import type { Source } from './shared/engine.js'

/** What both modules export; `self` is what `new` gave. */
export interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  new: () => number
  /** Makes room for so many bytes, and says where. */
  input(self: number, length: number): number
  /** Where the answer stands, and how long it is. */
  output(self: number): number
  length(self: number): number
}

export interface Crossing {
  readonly self: number
  /** The module's memory, which becomes another buffer whenever it grows. */
  view(): Uint8Array
  /** Gives one text, or two without anything between them; answers how many bytes the first has. */
  give(first: Source, second?: Source): number
  /** Takes the answer; throws it where it is a list of problems. */
  take(): string
  /** Frees what a handle stands for when nobody holds the handle any more. */
  watch(handle: object, number: number): void
  /** Frees it now. */
  release(handle: object, number: number): void
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export function crossing(exports: Exports, free: (self: number, number: number) => void): Crossing {
  const self = exports.new()
  let bytes = new Uint8Array(exports.memory.buffer)
  const view = () => (bytes.length ? bytes : (bytes = new Uint8Array(exports.memory.buffer)))
  // Some edge runtimes have no finalizers; there `free` is the only way.
  const registry = globalThis.FinalizationRegistry && new FinalizationRegistry((number: number) => free(self, number))
  return {
    self,
    view,
    give(first, second = '') {
      const [head, tail] = [toBytes(first), toBytes(second)]
      const at = exports.input(self, head.length + tail.length) >>> 0
      view().set(head, at)
      view().set(tail, at + head.length)
      return head.length
    },
    take() {
      const at = exports.output(self) >>> 0
      const text = decoder.decode(view().subarray(at, at + exports.length(self)))
      if (text.startsWith('[')) throw text
      return text
    },
    watch: (handle, number) => registry?.register(handle, number, handle),
    release(handle, number) {
      registry?.unregister(handle)
      free(self, number)
    },
  }
}

const toBytes = (source: Source): Uint8Array => (typeof source === 'string' ? encoder.encode(source) : source)
