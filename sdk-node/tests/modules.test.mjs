// `import` and `require` give the same.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import * as imported from '@dezky/sdk-node'
import * as importedProvider from '@dezky/sdk-node/openfeature'

const require = createRequire(import.meta.url)
const required = require('@dezky/sdk-node')

test('the same classes and functions', () => {
  const names = ['DezkyError', 'Ruleset', 'World', 'can', 'changedKeys', 'connect', 'engine', 'rolloutPosition', 'validate']
  assert.deepEqual(Object.keys(imported).sort(), names)
  for (const name of names) assert.equal(imported[name], required[name], name)
  assert.deepEqual(Object.keys(importedProvider), ['DezkyProvider'])
  assert.equal(importedProvider.DezkyProvider, require('@dezky/sdk-node/openfeature').DezkyProvider)
})

test('an error of one is an error of the other', () => {
  assert.throws(() => required.Ruleset.fromSnapshot('{'), imported.DezkyError)
  assert.throws(() => new importedProvider.DezkyProvider('{'), required.DezkyError)
})

test('the manifest can be read, and nothing else', () => {
  assert.equal(require('@dezky/sdk-node/package.json').name, '@dezky/sdk-node')
  assert.throws(() => require('@dezky/sdk-node/index.cjs'), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' })
})
