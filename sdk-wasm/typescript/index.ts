/** The main entry of `@dezky/sdk-wasm`: flags, access, the population and the model. */
export * from './flags.js'
export { validate, type Validation, World } from './world.js'
