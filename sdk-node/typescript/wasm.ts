/** The WASM engine, in a file of its own: loaded only on platforms without a binary. */
export { wasmEngine, wasmPopulation } from './shared.js'
