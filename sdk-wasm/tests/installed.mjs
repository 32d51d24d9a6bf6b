// The folder in which tests/run.mjs installed the packed package.
import assert from 'node:assert/strict'

export const installed = process.env.DEZKY_INSTALLED
assert.ok(installed, 'DEZKY_INSTALLED is unset: run these suites with `npm test`')
