/** The population in Node. */
import { lazily } from '../lazily.js'
import { usePopulation } from '../shared/current.js'
import { worldEngine } from '../world-engine.js'
import { load } from './load.js'

export { validate, World } from '../shared/population.js'

usePopulation(lazily(() => worldEngine(load(new URL('../world.wasm', import.meta.url)))))
