/** The engine for platforms without a binary: a file of its own, so that nobody else loads it. */
export { wasmEngine, wasmPopulation } from '../../sdk-wasm/typescript/node-engine.js'
