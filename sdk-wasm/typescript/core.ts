/** Flags and access in a browser: the entry without the population. */
import { flagsEngine, type FlagsExports } from './flags-engine.js'
import { registerModule } from './loading.js'
import { useEngine } from './shared/current.js'

export * from './internals.js'
export { init, initSync, registerModule } from './loading.js'

registerModule((): URL => new URL('./flags.wasm', import.meta.url), (flags: FlagsExports) => useEngine(flagsEngine(flags)))
