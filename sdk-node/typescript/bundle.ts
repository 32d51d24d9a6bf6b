/** All code in one bundle, so that each class exists once. `index.ts` is its public part. */
export * from './index.js'
export { mismatch, Resolver } from './shared.js'
