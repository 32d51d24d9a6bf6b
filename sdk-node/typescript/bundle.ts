/** All that runs, in one file, so that there is one of each class. `index.ts` is the part of it that is public. */
export * from './index.js'
export { mismatch, Resolver } from '../../sdk-wasm/typescript/shared/openfeature.js'
