// Measures what a page downloads: bundled as users do, compressed with brotli as servers do.
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'
import { build } from 'esbuild'

/**
 * The ways to load the package: their WASM, their JavaScript and their limits in bytes of brotli.
 * `bar` is the goal. While the goal is not reached, `ceiling` is the enforced limit; lower it
 * whenever the size falls.
 */
const LOADS = {
  flags: { what: 'Flags and access: `init`, `Ruleset`, `can`', wasm: ['flags'], code: "export { init, Ruleset, can } from '@dezky/sdk-wasm'", bar: 16_384, ceiling: 20_800 },
  client: { what: 'Flags with the live client: `connect`', wasm: ['flags'], code: "export { connect } from '@dezky/sdk-wasm'" },
  everything: { what: 'Everything: also `World` and `validate`', wasm: ['flags', 'world'], code: "export * from '@dezky/sdk-wasm'" },
  results: { what: 'Results from a server: `readResults`', wasm: [], code: "export { readResults } from '@dezky/sdk-wasm/results'", bar: 1_024 },
}
/** Exceeding `bar` by up to this factor does not fail the build. */
const TOLERANCE = 1.05

/** Returns the sizes in bytes of each way to load the package in a folder. */
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

/** Prints the sizes and throws if one exceeds its limit. */
export function judge(sizes) {
  const exceeded = []
  for (const [name, { brotli, bar, ceiling = bar && bar * TOLERANCE, ...parts }] of Object.entries(sizes)) {
    const sum = Object.entries(parts).map(([part, size]) => `${part} ${size.brotli}`).join(' + ')
    console.log(`${name}: ${sum} = ${brotli} bytes of brotli${bar ? `, goal ${bar}` : ''}`)
    if (brotli > ceiling) exceeded.push(`${name} has ${brotli} bytes of brotli, more than ${Math.floor(ceiling)}`)
  }
  if (exceeded.length) throw new Error(exceeded.join('; '))
}

/** Formats the sizes as a Markdown table. */
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
