/** Flags and access on Cloudflare Workers, which compile an imported WASM module at deployment. */
import module from './flags.wasm'
import { flagsEngine, type FlagsExports } from '../flags-engine.js'
import { lazy } from '../lazy.js'
import { useEngine } from '../shared/current.js'

export * from '../internals.js'
export { init, initSync, lazy } from '../lazy.js'

useEngine(lazy(() => flagsEngine(new WebAssembly.Instance(module).exports as unknown as FlagsExports)))
