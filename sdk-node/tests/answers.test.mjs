// The declared types admit every answer of the conformance cases.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const here = import.meta.dirname
const folder = join(process.env.DEZKY_REPOSITORY, 'fixtures/cases')
const cases = readdirSync(folder).flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')).cases)
const kinds = {
  tenant: 'Tenant', partner: 'Partner', user: 'User', subscription: 'Subscription', flag: 'Flag', change: 'Change',
  snapshot: 'Snapshot',
}
const typeOf = {
  explain: () => 'Explanation[][]',
  decide: () => 'Decision',
  plan: () => 'Plan',
  ladder: () => 'Ladder',
  counts: () => 'Counts',
  model: ({ kind }) => kinds[kind],
  snapshot: () => 'Snapshot',
}

test('every expected answer compiles against its type', () => {
  const answers = cases.filter(({ operation, expect }) => operation in typeOf && 'value' in expect)
  const seen = new Set()
  const statements = answers.map(({ operation, input, expect }, at) => {
    const type = typeOf[operation](input)
    seen.add(type)
    const value = operation === 'snapshot' ? expect.value.canonical : JSON.stringify(expect.value)
    return `export const answer${at}: sdk.${type} = ${value}`
  })
  const { model: _, ...others } = typeOf
  assert.deepEqual(seen, new Set([...Object.values(kinds), ...Object.values(others).map((type) => type({}))]))
  const file = join(here, 'types/answers.mts')
  writeFileSync(file, `import type * as sdk from '@dezky/sdk-node'\n${statements.join('\n')}\n`)
  const options = ['--strict', '--exactOptionalPropertyTypes', '--noEmit', '--target', 'es2022', '--module', 'nodenext', '--types', '']
  const { stdout, status } = spawnSync(process.env.DEZKY_TSC, [...options, file], { cwd: here, encoding: 'utf8' })
  assert.deepEqual([stdout.slice(0, 2000), status], ['', 0])
})
