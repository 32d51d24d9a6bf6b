/** Flags and access where a module is imported by `?module`: edge functions and Nitro. */
import module from './flags.wasm?module'
import { flagsEngine, type FlagsExports } from '../flags-engine.js'
import { lazily } from '../lazily.js'
import { use } from '../shared/current.js'

export * from '../internals.js'
export { init, initSync, lazily } from '../lazily.js'

use(lazily(() => flagsEngine(new WebAssembly.Instance(module).exports as unknown as FlagsExports)))
