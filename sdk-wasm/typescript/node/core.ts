/** Flags and access in Node. */
import { flagsEngine } from '../flags-engine.js'
import { lazy } from '../lazy.js'
import { useEngine } from '../shared/current.js'
import { load } from './load.js'

export * from '../internals.js'
export { init, initSync, lazy } from '../lazy.js'

useEngine(lazy(() => flagsEngine(load(new URL('../flags.wasm', import.meta.url)))))
