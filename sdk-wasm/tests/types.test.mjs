// Compiles against the declarations strictly, with every module resolution that supports `exports`.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { installed } from './installed.mjs'

const here = import.meta.dirname
const settings = {
  'a bundler': { module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom'], types: [] },
  'Node': { module: 'nodenext', moduleResolution: 'nodenext', lib: ['es2022'], types: ['node'], typeRoots: [join(here, '../node_modules/@types')] },
}

function compile(file, text, options) {
  const folder = mkdtempSync(join(installed, 'types-'))
  writeFileSync(join(folder, file), text)
  const strict = { target: 'es2022', strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: false, noEmit: true }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...strict, ...options }, files: [file] }))
  const { status, stdout } = spawnSync(join(here, '../node_modules/.bin/tsc'), ['--project', folder], { encoding: 'utf8' })
  assert.equal(status, 0, stdout)
}

for (const [name, options] of Object.entries(settings)) {
  const sample = readFileSync(join(here, 'types/sample.ts'), 'utf8')
  test(`a strict sample compiles for ${name}`, () => compile('sample.ts', sample, options))
}

test('the declarations compile without DOM and Node types', () => {
  compile('all.ts', "export * from '@dezky/sdk-wasm'\nexport * from '@dezky/sdk-wasm/results'\n", { ...settings.Node, types: [] })
})
