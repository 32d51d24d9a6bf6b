/** Text into a WASM module and out of it, through one buffer in each direction. */
import type { Source } from './shared/engine.js'

/** The exports that both modules have. `self` is the pointer that `new` returned. */
export interface ModuleExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  new: () => number
  /** Allocates an input buffer of `length` bytes and returns its address. */
  input(self: number, length: number): number
  /** The address of the output buffer. */
  output(self: number): number
  /** The length of the output in bytes. */
  length(self: number): number
}

/** The buffers of one module instance, and the handles to the Rust values that it owns. */
export interface Buffers {
  readonly self: number
  /** The module's memory. Growing the memory detaches the old buffer, so never keep this view. */
  memory(): Uint8Array
  /** Writes one or two strings back to back; returns the length of the first in bytes. */
  write(first: Source, second?: Source): number
  /** Reads the output; throws it if it is a list of problems. */
  read(): string
  /** Frees the Rust value when its handle is garbage-collected. */
  freeOnCollection(handle: object, number: number): void
  /** Frees the Rust value immediately. */
  release(handle: object, number: number): void
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export function openBuffers(exports: ModuleExports, free: (self: number, number: number) => void): Buffers {
  const self = exports.new()
  let bytes = new Uint8Array(exports.memory.buffer)
  const memory = () => (bytes.length ? bytes : (bytes = new Uint8Array(exports.memory.buffer)))
  // Some edge runtimes have no finalizers; callers must use `free` there.
  const registry = globalThis.FinalizationRegistry && new FinalizationRegistry((number: number) => free(self, number))
  return {
    self,
    memory,
    write(first, second = '') {
      const [head, tail] = [toBytes(first), toBytes(second)]
      const at = exports.input(self, head.length + tail.length) >>> 0
      memory().set(head, at)
      memory().set(tail, at + head.length)
      return head.length
    },
    read() {
      const at = exports.output(self) >>> 0
      const text = decoder.decode(memory().subarray(at, at + exports.length(self)))
      if (text.startsWith('[')) throw text
      return text
    },
    freeOnCollection: (handle, number) => registry?.register(handle, number, handle),
    release(handle, number) {
      registry?.unregister(handle)
      free(self, number)
    },
  }
}

const toBytes = (source: Source): Uint8Array => (typeof source === 'string' ? encoder.encode(source) : source)
