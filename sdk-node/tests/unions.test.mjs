// The unions in the declarations are those of core: every code, reason, action and word, and no other.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const read = (path) => readFileSync(join(process.env.DEZKY_REPOSITORY, path), 'utf8')
const declared = `${read('sdk-wasm/typescript/shared/types.ts')}\n`
const wordsOf = (text) => [...text.matchAll(/'([^']+)'/g)].map(([, word]) => word).sort()
const unionOf = (name) => wordsOf(declared.match(new RegExp(`export type ${name} =((?:[^/]|\\n)*?)\\n\\n`))[1])
/** The words of a table in core, between its head and the brace that ends it. */
const tableOf = (path, head, row) => [...read(path).split(head)[1].split('\n}')[0].matchAll(row)].map(([, word]) => word).sort()

test('codes', () => {
  const codes = tableOf('core/src/codes.rs', '\ncodes! {', /^ +[A-Z]\w+ "(\w+)"/gm)
  const ofTokens = /^(token|key)_/
  // What only a service that links core does: lifecycles, histories, chains and sums.
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

test('actions and reasons', () => {
  assert.deepEqual(unionOf('Action'), tableOf('core/src/access/action.rs', '\nactions! {', /^ +[A-Z]\w+ "([\w.]+)"/gm))
  assert.deepEqual(unionOf('AccessReason'), tableOf('core/src/access/decision.rs', '\nreasons! {', /^ +[A-Z]\w+ "(\w+)"/gm))
  assert.deepEqual(unionOf('Reason'), tableOf('core/src/flags/explanation.rs', 'fn as_str(self)', /=> "(\w+)"/g))
})

test('words', () => {
  const words = (path, name) => tableOf(path, `    ${name}: Unknown`, /^ +[A-Z]\w+ "(\w+)",/gm)
  assert.deepEqual(unionOf('Role'), words('core/src/access/principal.rs', 'Role'))
  assert.deepEqual(unionOf('TenantStatus'), words('core/src/model/tenant.rs', 'TenantStatus'))
  assert.deepEqual(unionOf('State'), words('core/src/flags/rule.rs', 'State'))
})
