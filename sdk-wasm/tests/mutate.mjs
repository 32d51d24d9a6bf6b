// Changes one byte of SHA-256's constants in the flags.wasm of an installed package:
// `node tests/mutate.mjs FOLDER`. The differential run must then fail, which proves that it can.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const file = join(process.argv[2], 'node_modules/@dezky/sdk-wasm/flags.wasm')
const module = readFileSync(file)
// The first two constants, 0x428a2f98 and 0x71374491, in little-endian order.
const constants = Buffer.from('982f8a4291443771', 'hex')
const position = module.indexOf(constants)
if (position < 0 || module.indexOf(constants, position + 1) >= 0) throw new Error(`${file} must contain the constants exactly once`)
module[position + 3] ^= 1
writeFileSync(file, module)
