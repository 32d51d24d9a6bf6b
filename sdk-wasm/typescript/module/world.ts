/** The population on edge functions and Nitro, which import WASM by `?module`. */
import module from './world.wasm?module'
import { lazy } from '../lazy.js'
import { usePopulation } from '../shared/current.js'
import { worldEngine, type WorldExports } from '../world-engine.js'

export { validate, World } from '../shared/population.js'

usePopulation(lazy(() => worldEngine(new WebAssembly.Instance(module).exports as unknown as WorldExports)))
