/** The population in Node. */
import { lazy } from '../lazy.js'
import { usePopulation } from '../shared/current.js'
import { worldEngine } from '../world-engine.js'
import { load } from './load.js'

export { validate, World } from '../shared/population.js'

usePopulation(lazy(() => worldEngine(load(new URL('../world.wasm', import.meta.url)))))
