/** What a platform's core holds, whatever the platform. */
export { crossing } from './crossing.js'
export { can, rolloutPosition } from './shared/access.js'
export { changedKeys } from './shared/changed.js'
export { engine, population, use, usePopulation } from './shared/current.js'
export { asking, DezkyError, fail } from './shared/error.js'
export { Ruleset } from './shared/ruleset.js'
export { toSource, toText } from './shared/write.js'
