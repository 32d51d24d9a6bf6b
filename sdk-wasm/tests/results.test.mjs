// The entry `results`, for pages that a server rendered.
import assert from 'node:assert/strict'
import { test } from 'node:test'

const { readResults } = await import(`${process.env.DEZKY_PACKAGE}/results`)
const results = { revision: 481, environment: 'production', flags: { a: true, b: false, constructor: true } }

test('results are read from a value or from JSON text', () => {
  for (const document of [results, JSON.stringify(results)]) {
    const { revision, environment, ...flags } = readResults(document)
    assert.deepEqual([revision, environment], [481, 'production'])
    assert.deepEqual(['a', 'b', 'constructor', 'toString', '__proto__', ''].map(flags.isEnabled), [true, false, true, false, false, false])
    assert.deepEqual(flags.all(), results.flags)
    assert.deepEqual(flags.enabledKeys(), ['a', 'constructor'])
  }
  assert.deepEqual(readResults({ ...results, flags: {} }).enabledKeys(), [])
})

test('flags that were read do not change with the document', () => {
  const document = structuredClone(results)
  const read = readResults(document)
  document.flags.a = false
  read.all().b = true
  assert.deepEqual(read.all(), results.flags)
})

test('documents of any other form are rejected', () => {
  for (const flags of [undefined, null, [], [true], 'a', 7, true, () => 1, { a: 1 }, { a: 'true' }, { a: null }, { a: true, b: undefined }])
    assert.throws(() => readResults({ ...results, flags }), TypeError)
  for (const revision of [undefined, '481', 1.5, NaN, -0.5, 2 ** 53, 481n]) assert.throws(() => readResults({ ...results, revision }), TypeError)
  for (const environment of [undefined, null, 7]) assert.throws(() => readResults({ ...results, environment }), TypeError)
  for (const document of [undefined, null, 7, true, [], {}, 'null', '[]', '7']) assert.throws(() => readResults(document), TypeError)
  assert.throws(() => readResults('{'), SyntaxError)
})
