/** The population on Cloudflare's runtime, where importing a module compiles it beforehand. */
import module from './world.wasm'
import { lazily } from '../lazily.js'
import { usePopulation } from '../shared/current.js'
import { worldEngine, type WorldExports } from '../world-engine.js'

export { validate, World } from '../shared/population.js'

usePopulation(lazily(() => worldEngine(new WebAssembly.Instance(module).exports as unknown as WorldExports)))
