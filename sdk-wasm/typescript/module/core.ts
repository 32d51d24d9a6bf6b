/** Flags and access on edge functions and Nitro, which import WASM by `?module`. */
import module from './flags.wasm?module'
import { flagsEngine, type FlagsExports } from '../flags-engine.js'
import { lazy } from '../lazy.js'
import { useEngine } from '../shared/current.js'

export * from '../internals.js'
export { init, initSync, lazy } from '../lazy.js'

useEngine(lazy(() => flagsEngine(new WebAssembly.Instance(module).exports as unknown as FlagsExports)))
