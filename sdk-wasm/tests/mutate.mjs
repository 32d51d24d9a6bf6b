// Changes one byte of the table that SHA-256 mixes in, in the flags.wasm of an installed package: `node tests/mutate.mjs FOLDER`. The
// differential run must then fail: it shows that it could.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const file = join(process.argv[2], 'node_modules/@dezky/sdk-wasm/flags.wasm')
const module = readFileSync(file)
// The table's first two words, 0x428a2f98 and 0x71374491, as they lie in memory.
const table = Buffer.from('982f8a4291443771', 'hex')
const place = module.indexOf(table)
if (place < 0 || module.indexOf(table, place + 1) >= 0) throw new Error(`${file} does not hold the table just once`)
module[place + 3] ^= 1
writeFileSync(file, module)
