// The declared unions equal the lists in core, and every shared type is exported.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const read = (path) => readFileSync(join(process.env.DEZKY_REPOSITORY, path), 'utf8')
const sourceOf = (name) => readFileSync(join(process.env.DEZKY_TYPESCRIPT, 'shared', name), 'utf8')
const declared = `${sourceOf('types.ts')}\n`
const wordsOf = (text) => [...text.matchAll(/'([^']+)'/g)].map(([, word]) => word).sort()
const unionOf = (name) => wordsOf(declared.match(new RegExp(`export type ${name} =((?:[^/]|\\n)*?)\\n\\n`))[1])
/** Returns the names in a table of core, between its head and its closing brace. */
const tableOf = (path, head, row) => [...read(path).split(head)[1].split('\n}')[0].matchAll(row)].map(([, word]) => word).sort()

test('the error codes are those of core and of the clients', () => {
  const codes = tableOf('core/src/codes.rs', '\ncodes! {', /^ +[A-Z]\w+ "(\w+)"/gm)
  const ofTokens = /^(token|key)_/
  // Codes of functions that only Rust services use: lifecycles, histories, hash chains and sums.
  const ofServices = ['chain_hash', 'chain_link', 'chain_revision', 'invalid_transition', 'mrr_overflow', 'stale_revision', 'unknown_revision']
  const expected = codes.filter((code) => !ofTokens.test(code) && !ofServices.includes(code))
  assert.deepEqual(unionOf('Code'), expected)
  assert.deepEqual(unionOf('HostCode'), ['not_ready', 'released', 'unreadable'])
  const ofClients = [
    'bad_snapshot', 'deadline', 'digest_mismatch', 'file_unusable', 'insecure_url', 'invalid_option', 'key_refused', 'older_revision', 'rate_limited',
    'unexpected_status', 'unreachable',
  ]
  assert.deepEqual(unionOf('ClientCode'), ofClients)
  assert.deepEqual(ofClients.filter((code) => codes.includes(code)), [])
})

test('the actions and reasons are those of core', () => {
  assert.deepEqual(unionOf('Action'), tableOf('core/src/access/action.rs', '\nactions! {', /^ +[A-Z]\w+ "([\w.]+)"/gm))
  assert.deepEqual(unionOf('AccessReason'), tableOf('core/src/access/decision.rs', '\nreasons! {', /^ +[A-Z]\w+ "(\w+)"/gm))
  assert.deepEqual(unionOf('Reason'), tableOf('core/src/flags/explanation.rs', 'fn as_str(self)', /=> "(\w+)"/g))
})

test('the roles, statuses and states are those of core', () => {
  const namesOf = (path, name) => tableOf(path, `    ${name}: Unknown`, /^ +[A-Z]\w+ "(\w+)",/gm)
  assert.deepEqual(unionOf('Role'), namesOf('core/src/model/role.rs', 'Role'))
  assert.deepEqual(unionOf('TenantStatus'), namesOf('core/src/model/tenant.rs', 'TenantStatus'))
  assert.deepEqual(unionOf('State'), namesOf('core/src/flags/rule.rs', 'State'))
})

test('index.ts exports every shared type', () => {
  const index = readFileSync(join(process.env.DEZKY_REPOSITORY, 'sdk-node/typescript/index.ts'), 'utf8')
  const exported = index.match(/export type \{([^}]+)\}/)[1].match(/\w+/g)
  const types = ['types.ts', 'model.ts'].flatMap((name) => [...sourceOf(name).matchAll(/^export (?:type|interface) (\w+)/gm)])
  assert.deepEqual(types.map(([, name]) => name).filter((name) => !exported.includes(name)), [])
})
