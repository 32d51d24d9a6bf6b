/** The population on Cloudflare Workers, which compile an imported WASM module at deployment. */
import module from './world.wasm'
import { lazy } from '../lazy.js'
import { usePopulation } from '../shared/current.js'
import { worldEngine, type WorldExports } from '../world-engine.js'

export { validate, World } from '../shared/population.js'

usePopulation(lazy(() => worldEngine(new WebAssembly.Instance(module).exports as unknown as WorldExports)))
