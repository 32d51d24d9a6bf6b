/** The population in a browser. Whoever imports it has `init` load world.wasm as well; bundlers leave it out where nobody does. */
import { want } from './loading.js'
import { usePopulation } from './shared/current.js'
import { worldEngine, type WorldExports } from './world-engine.js'

export { validate, type Validation, World } from './shared/population.js'

want((): URL => new URL('./world.wasm', import.meta.url), (world: WorldExports) => usePopulation(worldEngine(world)))
