// What a page downloads: measured as a user would bundle the package, compressed as a server would.
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'
import { build } from 'esbuild'

/**
 * What may be loaded: which WASM, which JavaScript, and at most how many bytes of brotli. A `ceiling` stands where the bar is not reached yet: it
 * comes down with the size, and nothing may pass it.
 */
const LOADS = {
  flags: { what: 'Flags and access: `init`, `Ruleset`, `can`', wasm: ['flags'], code: "export { init, Ruleset, can } from '@dezky/sdk-wasm'", bar: 16_384, ceiling: 20_800 },
  client: { what: 'Flags, kept the newest by `connect`', wasm: ['flags'], code: "export { connect } from '@dezky/sdk-wasm'" },
  everything: { what: 'Everything, `World`, `validate` and `connect` too', wasm: ['flags', 'world'], code: "export * from '@dezky/sdk-wasm'" },
  results: { what: 'Results that a server sent: `readResults`', wasm: [], code: "export { readResults } from '@dezky/sdk-wasm/results'", bar: 1_024 },
}
/** A bar that is passed by no more than this fails nothing. */
const TOLERANCE = 1.05

/** The sizes of each load of the package in a folder, in bytes. */
export async function measure(folder) {
  const scratch = mkdtempSync(join(tmpdir(), 'dezky-sizes-'))
  try {
    cpSync(folder, join(scratch, 'node_modules/@dezky/sdk-wasm'), { recursive: true })
    const sizes = {}
    for (const [name, { wasm, code, bar, ceiling }] of Object.entries(LOADS)) {
      const parts = Object.fromEntries(wasm.map((module) => [`${module}.wasm`, sizeOf(readFileSync(join(folder, `${module}.wasm`)))]))
      parts.javascript = sizeOf(await bundle(scratch, code))
      sizes[name] = { ...parts, brotli: Object.values(parts).reduce((total, { brotli }) => total + brotli, 0), bar, ceiling }
    }
    return sizes
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

/** Says them, and throws where a bar is passed. */
export function judge(sizes) {
  const passed = []
  for (const [name, { brotli, bar, ceiling = bar && bar * TOLERANCE, ...parts }] of Object.entries(sizes)) {
    const sum = Object.entries(parts).map(([part, size]) => `${part} ${size.brotli}`).join(' + ')
    console.log(`${name}: ${sum} = ${brotli} bytes of brotli${bar ? `, bar ${bar}` : ''}`)
    if (brotli > ceiling) passed.push(`${name} has ${brotli} bytes of brotli, more than ${Math.floor(ceiling)}`)
  }
  if (passed.length) throw new Error(passed.join('; '))
}

/** The sizes for people. */
export function toTable(sizes) {
  const kilobytes = (size) => (size ? (size.brotli / 1024).toFixed(1) : '-')
  const rows = Object.entries(sizes).map(([name, size]) => {
    const cells = [LOADS[name].what, kilobytes(size['flags.wasm']), kilobytes(size['world.wasm']), kilobytes(size.javascript), kilobytes(size)]
    return `| ${cells.join(' | ')} |\n`
  })
  return `| | flags.wasm | world.wasm | JavaScript | together |\n| --- | --- | --- | --- | --- |\n${rows.join('')}`
}

async function bundle(scratch, contents) {
  const stdin = { contents, resolveDir: scratch }
  const options = { bundle: true, minify: true, format: 'esm', platform: 'browser', target: 'es2022', charset: 'utf8', write: false }
  const { outputFiles } = await build({ stdin, ...options })
  return outputFiles[0].contents
}

function sizeOf(bytes) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length }
  return { bytes: bytes.length, brotli: brotliCompressSync(bytes, { params }).length }
}
