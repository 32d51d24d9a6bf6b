// Runs every conformance case against the packed package, in Node and in Chromium. `make build`
// builds the runner.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { installed } from './installed.mjs'

const root = join(import.meta.dirname, '../..')
const conformance = join(root, 'sdk-wasm/conformance')
const folder = join(installed, 'node_modules/@dezky/sdk-wasm')
const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
const runner = join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'debug/dezky-conformance')

function run(...driver) {
  const { status, stdout, stderr } = spawnSync(runner, ['--profile', 'sdk', '--', process.execPath, ...driver], { encoding: 'utf8' })
  assert.equal(status, 0, `${stdout}\n${stderr}`)
  return stdout.trim()
}

test('every case passes in Node', (context) => {
  const sdk = join(installed, 'conformance.mjs')
  writeFileSync(sdk, `export * from '@dezky/sdk-wasm'\nexport const hello = { runtime: 'wasm-node', version: '${version}' }\n`)
  context.diagnostic(run(join(conformance, 'driver.mjs'), sdk))
})

test('every case passes in Chromium', (context) => context.diagnostic(run(join(conformance, 'chromium.mjs'), folder)))
