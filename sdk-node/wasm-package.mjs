// The folder of the sibling package `@dezky/sdk-wasm`, whose files this package shares.
import { join } from 'node:path'

export const wasmPackage = join(import.meta.dirname, '../sdk-wasm')
