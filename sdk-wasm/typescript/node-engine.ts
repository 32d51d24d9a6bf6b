/** The WASM engines read from files beside this script: the fallback of `@dezky/sdk-node`. */
import { flagsEngine } from './flags-engine.js'
import { load } from './node/load.js'
import type { Engine, Population } from './shared/engine.js'
import { worldEngine } from './world-engine.js'

export const wasmEngine = (): Engine => flagsEngine(load(new URL('./flags.wasm', import.meta.url)))

export const wasmPopulation = (): Population => worldEngine(load(new URL('./world.wasm', import.meta.url)))
