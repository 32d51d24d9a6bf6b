// The choice of the engine, and the fallback when the native one is missing.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { engine } from '@dezky/sdk-node'

const here = import.meta.dirname
const copies = []
after(() => copies.forEach((copy) => rmSync(copy, { recursive: true })))

/**
 * Copies the installed packages, applies `change`, and returns the engine or the error of a process
 * there.
 */
function engineAfter(change, environment = {}) {
  const copy = mkdtempSync(join(tmpdir(), 'dezky-engine-'))
  copies.push(copy)
  cpSync(join(here, 'node_modules/@dezky'), join(copy, 'node_modules/@dezky'), { recursive: true })
  change(join(copy, 'node_modules/@dezky'))
  const program = "console.log(require('@dezky/sdk-node').engine)"
  const { DEZKY_ENGINE, ...inherited } = process.env
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], { cwd: copy, env: { ...inherited, ...environment }, encoding: 'utf8' })
  return stdout.trim() || stderr.match(/^Error: (.*)/m)?.[1] || stderr
}

const binaries = (folder) => readdirSync(folder).filter((name) => name.startsWith('sdk-node-'))
const withoutBinary = (folder) => binaries(folder).forEach((name) => rmSync(join(folder, name), { recursive: true }))

test('DEZKY_ENGINE chooses the engine of this process', () => {
  assert.equal(engine, process.env.DEZKY_ENGINE)
})

test('the native engine is the default, and DEZKY_ENGINE selects either', () => {
  assert.equal(engineAfter(() => {}), 'native')
  assert.equal(engineAfter(() => {}, { DEZKY_ENGINE: '' }), 'native')
  assert.equal(engineAfter(() => {}, { DEZKY_ENGINE: 'native' }), 'native')
  assert.equal(engineAfter(() => {}, { DEZKY_ENGINE: 'wasm' }), 'wasm')
  assert.equal(engineAfter(() => {}, { DEZKY_ENGINE: 'java' }), 'DEZKY_ENGINE must be native or wasm, not java')
})

test('without a binary the engine is WASM, unless native is required', () => {
  assert.equal(engineAfter(withoutBinary), 'wasm')
  assert.match(engineAfter(withoutBinary, { DEZKY_ENGINE: 'native' }), /^@dezky\/sdk-node has no native engine for \w+-\w+: .*Cannot find module/)
})

test('a broken binary or one of another version is skipped', () => {
  const broken = (folder) => binaries(folder).forEach((name) => writeFileSync(join(folder, name, 'dezky.node'), 'no library'))
  assert.equal(engineAfter(broken), 'wasm')
  assert.match(engineAfter(broken, { DEZKY_ENGINE: 'native' }), /has no native engine for/)
  const newer = (folder) => {
    const bundle = join(folder, 'sdk-node/index.cjs')
    const { version } = JSON.parse(readFileSync(join(folder, 'sdk-node/package.json'), 'utf8'))
    writeFileSync(bundle, readFileSync(bundle, 'utf8').replaceAll(`"${version}"`, '"99.0.0"'))
  }
  assert.equal(engineAfter(newer), 'wasm')
  assert.match(engineAfter(newer, { DEZKY_ENGINE: 'native' }), /the binary has version .*, the package 99\.0\.0/)
})

test('the manifest lists every platform, and the binary is below its size limit', () => {
  const manifestOf = (name) => JSON.parse(readFileSync(join(here, 'node_modules/@dezky', name, 'package.json'), 'utf8'))
  const { version, optionalDependencies, devDependencies, scripts } = manifestOf('sdk-node')
  const platforms = ['darwin-arm64', 'darwin-x64', 'linux-arm64-gnu', 'linux-arm64-musl', 'linux-x64-gnu', 'linux-x64-musl', 'win32-arm64-msvc', 'win32-x64-msvc']
  assert.deepEqual(optionalDependencies, Object.fromEntries(platforms.map((name) => [`@dezky/sdk-node-${name}`, version])))
  assert.deepEqual([devDependencies, scripts], [undefined, undefined])
  for (const name of binaries(join(here, 'node_modules/@dezky'))) {
    const { os, cpu, version: binaryVersion } = manifestOf(name)
    assert.deepEqual([os, cpu, binaryVersion], [[process.platform], [process.arch], version])
    const { size } = statSync(join(here, 'node_modules/@dezky', name, 'dezky.node'))
    assert.ok(size <= 1_500_000, `the binary has ${size} bytes`)
  }
})
