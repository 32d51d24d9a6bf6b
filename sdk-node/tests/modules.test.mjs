// `import` and `require` return the same objects.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import * as imported from '@dezky/sdk-node'
import * as importedProvider from '@dezky/sdk-node/openfeature'

const require = createRequire(import.meta.url)
const required = require('@dezky/sdk-node')

test('import and require return the same classes and functions', () => {
  const names = ['DezkyError', 'Ruleset', 'World', 'can', 'changedKeys', 'connect', 'engine', 'rolloutPosition', 'validate']
  assert.deepEqual(Object.keys(imported).sort(), names)
  for (const name of names) assert.equal(imported[name], required[name], name)
  assert.deepEqual(Object.keys(importedProvider), ['DezkyProvider'])
  assert.equal(importedProvider.DezkyProvider, require('@dezky/sdk-node/openfeature').DezkyProvider)
})

test('errors are instances of the same class in both', () => {
  assert.throws(() => required.Ruleset.fromSnapshot('{'), imported.DezkyError)
  assert.throws(() => new importedProvider.DezkyProvider('{'), required.DezkyError)
})

test('package.json is exported, and internal files are not', () => {
  assert.equal(require('@dezky/sdk-node/package.json').name, '@dezky/sdk-node')
  assert.throws(() => require('@dezky/sdk-node/index.cjs'), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' })
})
