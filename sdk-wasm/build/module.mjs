// Builds one WASM module from Rust: compiles it, runs wasm-bindgen, and shrinks it.
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import binaryen from 'binaryen'

const here = join(import.meta.dirname, '..')
const target = process.env.CARGO_TARGET_DIR ?? join(here, '../target')

const FEATURES = ['bulk-memory', 'sign-ext', 'mutable-globals', 'nontrapping-float-to-int', 'multivalue', 'reference-types']
const PASSES = [
  // The only import throws if wasm-bindgen's own rules are violated; the instruction after it traps
  // anyway.
  '--remove-imports',
  // One percent smaller than `-Oz` alone. Low memory is unused: the end of the stack lies there.
  '--flatten', '--rereloop', '-Oz', '-Oz', '--converge', '--low-memory-unused',
  '--strip-debug', '--strip-producers', '--strip-target-features',
]

/** Builds the module for one of the crate's features. */
export function buildModule(feature, file) {
  const folder = join(target, 'wasm-package', feature)
  mkdirSync(folder, { recursive: true })
  const compiled = join(folder, 'dezky_wasm.wasm')
  // The flag omits strings and checks that evaluation never uses.
  const rustflags = feature === 'evaluation' ? ['--config', "target.wasm32-unknown-unknown.rustflags=['--cfg','dezky_evaluation_only']"] : []
  cargo(['build', ...rustflags, '--package', 'dezky-wasm', '--profile', 'wasm', '--target', 'wasm32-unknown-unknown', '--no-default-features', '--features', feature])
  // Both features compile to a file with the same name.
  copyFileSync(join(target, 'wasm32-unknown-unknown/wasm/dezky_wasm.wasm'), compiled)
  const manifest = join(here, 'bindgen/Cargo.toml')
  cargo(['build', '--manifest-path', manifest, '--target-dir', join(target, 'bindgen')])
  run(join(target, 'bindgen/debug/dezky-wasm-bindgen'), [compiled, folder])
  const bare = join(folder, 'bare.wasm')
  writeFileSync(bare, bareModule(readFileSync(join(folder, 'dezky_wasm_bg.wasm'))))
  const optimizer = join(here, 'node_modules/binaryen/bin/wasm-opt')
  run(process.execPath, [optimizer, bare, ...FEATURES.map((name) => `--enable-${name}`), ...PASSES, '-o', file])
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(readFileSync(file)))
  if (imports.length) throw new Error(`${file} imports ${imports.map(({ name }) => name).join(', ')}`)
}

/**
 * Removes wasm-bindgen's exports except the memory and the methods of our class, which get their
 * plain names. Calls pass only numbers, so wasm-bindgen's JavaScript is not needed.
 */
function bareModule(bytes) {
  const module = binaryen.readBinary(bytes)
  for (const { name } of WebAssembly.Module.exports(new WebAssembly.Module(bytes))) {
    if (name === 'memory') continue
    const [, method] = name.match(/^(?:evaluation|population)_(\w+)$/) ?? []
    if (method) module.addFunctionExport(binaryen.getExportInfo(module.getExport(name)).value, method)
    module.removeExport(name)
  }
  return module.emitBinary()
}

const cargo = (args) => run('cargo', [...args, '--locked', '--quiet'])

function run(program, args) {
  execFileSync(program, args, { cwd: join(here, '..'), stdio: ['ignore', 'inherit', 'inherit'] })
}
