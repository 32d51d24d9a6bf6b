// Where the packed package is installed: tests/run.mjs puts it there.
import assert from 'node:assert/strict'

export const installed = process.env.DEZKY_INSTALLED
assert.ok(installed, 'npm test installs the package and says where')
