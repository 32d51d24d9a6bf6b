/** WASM from a file, at once. */
import { readFileSync } from 'node:fs'

/** The part of the global of this name that is used here: TypeScript has it in its library for browsers alone. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

export function load<Exports>(file: URL): Exports {
  return new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file))).exports as Exports
}
