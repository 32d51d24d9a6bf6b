// The folder of the sibling package `@dezky/sdk-wasm`, whose sources, suites and modules this package shares.
import { join } from 'node:path'

export const wasmPackage = join(import.meta.dirname, '../sdk-wasm')
