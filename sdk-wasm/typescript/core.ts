/** Flags and access in a browser: all that a page needs that asks for no more. */
import { flagsEngine, type FlagsExports } from './flags-engine.js'
import { want } from './loading.js'
import { use } from './shared/current.js'

export * from './internals.js'
export { init, initSync, want } from './loading.js'

want((): URL => new URL('./flags.wasm', import.meta.url), (flags: FlagsExports) => use(flagsEngine(flags)))
