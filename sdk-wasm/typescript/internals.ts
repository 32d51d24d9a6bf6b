/** The parts that the core bundle of every platform contains. */
export { openBuffers } from './buffers.js'
export { can, rolloutPosition } from './shared/access.js'
export { changedKeys } from './shared/changed.js'
export { engine, population, useEngine, usePopulation } from './shared/current.js'
export { callEngine, DezkyError, fail } from './shared/error.js'
export { Ruleset } from './shared/ruleset.js'
export { toSource, toText } from './shared/write.js'
