// Changes one byte of SHA-256 in an installed flags.wasm: `node tests/mutate.mjs FOLDER`.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

// The differential run must fail on the changed module, which proves that it can.
const file = join(process.argv[2], 'node_modules/@dezky/sdk-wasm/flags.wasm')
const module = readFileSync(file)
// The first two constants, 0x428a2f98 and 0x71374491, in little-endian order.
const constants = Buffer.from('982f8a4291443771', 'hex')
const position = module.indexOf(constants)
if (position < 0 || module.indexOf(constants, position + 1) >= 0) throw new Error(`${file} must contain the constants exactly once`)
module[position + 3] ^= 1
writeFileSync(file, module)
