// The parts of this package that sdk-node does not share, in Node.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { installed } from './installed.mjs'

const folder = join(installed, 'node_modules/@dezky/sdk-wasm')
const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

/** Runs a module in the folder of the installed package and parses its output as JSON. */
function evaluate(source) {
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', source], { cwd: installed, encoding: 'utf8' })
  return JSON.parse(output)
}

test('init is optional in Node', () => {
  const source = `import * as sdk from '@dezky/sdk-wasm'
    const early = sdk.validate.tenant({}).errors.length
    await sdk.init()
    await sdk.init('https://example.com/flags.wasm')
    sdk.initSync()
    console.log(JSON.stringify({ early, engine: sdk.engine, names: Object.keys(sdk).sort() }))`
  const names = ['DezkyError', 'Ruleset', 'World', 'can', 'changedKeys', 'connect', 'engine', 'init', 'initSync', 'rolloutPosition', 'validate']
  assert.deepEqual(evaluate(source), { early: 4, engine: 'wasm', names })
})

test('a WASM module is read when it is first used', () => {
  const source = `import fs from 'node:fs'
    import { syncBuiltinESMExports } from 'node:module'
    const { readFileSync } = fs
    const read = []
    fs.readFileSync = (file, ...rest) => (read.push(String(file).split('/').at(-1)), readFileSync(file, ...rest))
    syncBuiltinESMExports()
    const { rolloutPosition, validate } = await import('@dezky/sdk-wasm')
    const steps = [read.length]
    rolloutPosition('t1', 'flag-a')
    steps.push(read.join())
    validate.tenant({})
    steps.push(read.join())
    console.log(JSON.stringify(steps))`
  assert.deepEqual(evaluate(source), [0, 'flags.wasm', 'flags.wasm,world.wasm'])
})

test('all entries share the same classes', () => {
  const source = `import * as all from '@dezky/sdk-wasm'
    import * as flags from '@dezky/sdk-wasm/flags'
    import { DezkyProvider } from '@dezky/sdk-wasm/openfeature'
    import { readResults } from '@dezky/sdk-wasm/results'
    const snapshot = { format: 1, revision: 481, environment: 'production', flags: [{ key: 'everyone', state: 'on' }] }
    const tenant = flags.Ruleset.fromSnapshot(snapshot).forTenant({ tenantId: 't1', tenantSlug: 'acme', plan: 'business' })
    console.log(JSON.stringify([
      all.Ruleset === flags.Ruleset, all.DezkyError === flags.DezkyError, new DezkyProvider(snapshot).rules instanceof all.Ruleset,
      'World' in flags, readResults(JSON.stringify(tenant)).isEnabled('everyone'),
    ]))`
  assert.deepEqual(evaluate(source), [true, true, true, false, true])
})

test('dezky-types writes a type of the flag keys', () => {
  const file = join(installed, 'snapshot.json')
  writeFileSync(file, '{"format":1,"revision":481,"environment":"production","flags":[{"key":"b","state":"on"},{"key":"a","state":"off"}]}')
  const command = (...args) => spawnSync(join(installed, 'node_modules/.bin/dezky-types'), args, { encoding: 'utf8' })
  assert.match(command(file).stdout, /export type FlagKey =\n {2}\| 'a'\n {2}\| 'b'\n/)
  writeFileSync(file, '{')
  const { status, stderr } = command(file)
  assert.deepEqual([status, stderr.startsWith('dezky-types: invalid_json')], [1, true])
  assert.equal(command().status, 2)
})

test('the manifest is complete, and every exported file exists', () => {
  const { license, repository, keywords, engines, sideEffects, devDependencies, scripts, peerDependenciesMeta } = manifest
  assert.deepEqual([license, repository.url, sideEffects], ['MIT', 'https://github.com/dezky/dezky', false])
  assert.ok(keywords.length > 5 && engines.node && peerDependenciesMeta['@openfeature/web-sdk'].optional)
  assert.deepEqual([devDependencies, scripts], [undefined, undefined])
  const files = (target) => (typeof target === 'string' ? [target] : Object.values(target).flatMap(files))
  for (const file of files(manifest.exports)) assert.ok(readFileSync(join(folder, file)).length, file)
})

test('the WASM modules import nothing and export the called functions', () => {
  for (const name of ['flags', 'world']) {
    const module = new WebAssembly.Module(readFileSync(join(folder, `${name}.wasm`)))
    assert.deepEqual(WebAssembly.Module.imports(module), [])
    const exported = WebAssembly.Module.exports(module).map(({ name }) => name)
    assert.ok(['memory', 'new', 'input', 'output', 'length'].every((method) => exported.includes(method)), exported.join())
  }
})
