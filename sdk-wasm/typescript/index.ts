/** Dezky for browsers, edge runtimes and Node: flags, access, the population and the model. */
export * from './flags.js'
export { validate, type Validation, World } from './world.js'
