// The live clients in Rust and in TypeScript have the same phases and events.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const repository = join(import.meta.dirname, '../..')
const rust = readFileSync(join(repository, 'sdk-rust/src/client/phase.rs'), 'utf8')
const typescript = readFileSync(join(repository, 'sdk-wasm/typescript/shared/live/phase.ts'), 'utf8')

/** The variants of an enum, with a small first letter. */
function variantsOf(name) {
  const [, body] = rust.match(new RegExp(`enum ${name} \\{\n([^]*?)\n\\}`))
  return [...body.matchAll(/^ {4}([A-Z])(\w+),$/gm)].map(([, first, rest]) => first.toLowerCase() + rest)
}

/** The members of a union of strings. */
function membersOf(name) {
  const [, body] = typescript.match(new RegExp(`type ${name} =\n([^]*?)\n\n`))
  return [...body.matchAll(/^ {2}\| '(\w+)'$/gm)].map(([, member]) => member)
}

test('the phases have the same names in the same order', () => {
  assert.ok(variantsOf('Phase').length > 5)
  assert.deepEqual(membersOf('Phase'), variantsOf('Phase'))
})

test('the events have the same names, and only Rust can pause and resume', () => {
  assert.ok(variantsOf('PhaseEvent').length > 5)
  assert.deepEqual(membersOf('PhaseEvent'), variantsOf('PhaseEvent').filter((name) => name !== 'resumed'))
})
