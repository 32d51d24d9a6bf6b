/** The population in a browser. Importing this file makes `init` load world.wasm too. */
import { registerModule } from './loading.js'
import { usePopulation } from './shared/current.js'
import { worldEngine, type WorldExports } from './world-engine.js'

export { validate, type Validation, World } from './shared/population.js'

registerModule((): URL => new URL('./world.wasm', import.meta.url), (world: WorldExports) => usePopulation(worldEngine(world)))
