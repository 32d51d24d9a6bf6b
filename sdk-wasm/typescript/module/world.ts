/** The population where a module is imported by `?module`: edge functions and Nitro. */
import module from './world.wasm?module'
import { lazily } from '../lazily.js'
import { usePopulation } from '../shared/current.js'
import { worldEngine, type WorldExports } from '../world-engine.js'

export { validate, World } from '../shared/population.js'

usePopulation(lazily(() => worldEngine(new WebAssembly.Instance(module).exports as unknown as WorldExports)))
