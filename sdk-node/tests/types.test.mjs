// Compiles against the declarations: `import`, `require` and every module resolution.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const here = import.meta.dirname
const types = join(here, 'types')
const strictOptions = [
  'strict', 'exactOptionalPropertyTypes', 'noUncheckedIndexedAccess', 'noImplicitOverride', 'noImplicitReturns', 'noUnusedLocals',
  'noUnusedParameters', 'noPropertyAccessFromIndexSignature', 'noFallthroughCasesInSwitch',
]

/** Compiles a file and returns the errors as `line code`. */
function compile(file, module, resolution, needed = '') {
  const args = ['--noEmit', '--target', 'es2022', '--lib', 'es2022,dom', '--types', needed, '--module', module, '--moduleResolution', resolution]
  const { stdout, status } = spawnSync(process.env.DEZKY_TSC, [...args, ...strictOptions.map((option) => `--${option}`), file], { cwd: here, encoding: 'utf8' })
  const problems = stdout.split('\n').filter((line) => line.includes('error TS'))
  assert.equal(status === 0, problems.length === 0, stdout)
  return problems.map((line) => line.replace(/^.*?\((\d+),\d+\): error (TS\d+).*$/, '$1 $2'))
}

for (const [extension, module, resolution] of [
  ['mts', 'nodenext', 'nodenext'], ['cts', 'nodenext', 'nodenext'], ['mts', 'node16', 'node16'], ['cts', 'node16', 'node16'], ['mts', 'esnext', 'bundler'],
]) {
  test(`as .${extension} with ${resolution}, the sample compiles and every wrong statement fails`, () => {
    const [sample, provider, wrong] = ['sample', 'provider', 'wrong'].map((name) => {
      const file = join(types, `${name}.${extension}`)
      copyFileSync(join(types, `${name}.ts`), file)
      return file
    })
    assert.deepEqual(compile(sample, module, resolution), [])
    assert.deepEqual(compile(provider, module, resolution, 'node'), [])
    const expected = readFileSync(wrong, 'utf8').split('\n').flatMap((line, at) => line.match(/\/\/ (TS\d+)$/)?.slice(1).map((code) => `${at + 1} ${code}`) ?? [])
    assert.deepEqual(compile(wrong, module, resolution), expected)
  })
}

test('dezky-types writes a union of keys, with which an unknown key does not compile', () => {
  const folder = mkdtempSync(join(types, 'keys-'))
  const dezkyTypes = (input, ...args) => spawnSync(join(here, 'node_modules/.bin/dezky-types'), args, { cwd: folder, input, encoding: 'utf8' })
  const snapshot = { format: 1, revision: 1, environment: 'p', flags: [{ key: 'b-2', state: 'on' }, { key: 'a_1', state: 'off' }] }
  writeFileSync(join(folder, 'snapshot.json'), JSON.stringify(snapshot))
  const { stdout, status } = dezkyTypes('', 'snapshot.json')
  assert.deepEqual([status, stdout], [0, "/** Every flag's key, by dezky-types. */\nexport type FlagKey =\n  | 'a_1'\n  | 'b-2'\n"])
  assert.equal(dezkyTypes(JSON.stringify({ ...snapshot, flags: [] }), '-').stdout, "/** Every flag's key, by dezky-types. */\nexport type FlagKey = never\n")

  writeFileSync(join(folder, 'flag-keys.mts'), stdout)
  const use = (key) => `import { Ruleset } from '@dezky/sdk-node'\nimport type { FlagKey } from './flag-keys.mjs'
export const isOn = Ruleset.fromSnapshot<FlagKey>('{}').forTenant('{}').isEnabled('${key}')\n`
  writeFileSync(join(folder, 'use.mts'), use('a_1'))
  assert.deepEqual(compile(join(folder, 'use.mts'), 'nodenext', 'nodenext'), [])
  writeFileSync(join(folder, 'use.mts'), use('a_2'))
  assert.deepEqual(compile(join(folder, 'use.mts'), 'nodenext', 'nodenext'), ['3 TS2345'])

  assert.deepEqual([dezkyTypes('{}', '-').status, dezkyTypes('', 'none.json').status, dezkyTypes('').status, dezkyTypes('', '--help').status], [1, 1, 2, 2])
  assert.match(dezkyTypes('{}', '-').stderr, /^dezky-types: missing at "\/format": /)
})
