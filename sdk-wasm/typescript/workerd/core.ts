/** Flags and access on Cloudflare's runtime, where importing a module compiles it beforehand. */
import module from './flags.wasm'
import { flagsEngine, type FlagsExports } from '../flags-engine.js'
import { lazily } from '../lazily.js'
import { use } from '../shared/current.js'

export * from '../internals.js'
export { init, initSync, lazily } from '../lazily.js'

use(lazily(() => flagsEngine(new WebAssembly.Instance(module).exports as unknown as FlagsExports)))
