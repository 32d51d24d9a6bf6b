/** Loads a WASM module from a file, synchronously. */
import { readFileSync } from 'node:fs'

/**
 * The part of the `WebAssembly` global used here; TypeScript declares it in the DOM library only.
 */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

export function load<Exports>(file: URL): Exports {
  return new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file))).exports as Exports
}
