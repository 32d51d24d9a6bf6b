// Runs every suite against the installed tarballs: `node tests/run.mjs [native|wasm]`.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { wasmPackage } from '../wasm-package.mjs'
import { install } from './install.mjs'

const here = import.meta.dirname
const repository = join(here, '../..')
const folder = mkdtempSync(join(tmpdir(), 'dezky-sdk-node-'))
const engines = process.argv.length > 2 ? process.argv.slice(2) : ['native', 'wasm']
let failures = 0
try {
  install(folder)
  for (const name of ['@openfeature', '@types', 'undici-types'])
    cpSync(join(here, '../node_modules', name), join(folder, 'node_modules', name), { recursive: true })
  for (const suites of [here, join(wasmPackage, 'tests/shared')]) cpSync(suites, folder, { recursive: true })
  for (const engine of engines) {
    const environment = {
      DEZKY_ENGINE: engine,
      DEZKY_PACKAGE: '@dezky/sdk-node',
      DEZKY_REPOSITORY: repository,
      DEZKY_TSC: join(here, '../node_modules/.bin/tsc'),
      DEZKY_TYPESCRIPT: join(wasmPackage, 'typescript'),
      OPENFEATURE_SDK: '@openfeature/server-sdk',
    }
    const { status } = spawnSync(process.execPath, ['--expose-gc', '--test'], { cwd: folder, env: { ...process.env, ...environment }, stdio: 'inherit' })
    failures += status === 0 ? 0 : 1
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exitCode = failures
