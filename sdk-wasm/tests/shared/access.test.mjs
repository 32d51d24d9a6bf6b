// Authorization decisions and the problems of malformed requests.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { owner, problemsOf, sdk } from './sdk.mjs'

const { can } = sdk

test('a decision names its reason', () => {
  assert.deepEqual(can(owner, 'tenant.update', { tenantId: 't1', fields: ['name'] }), { allowed: true, reason: 'allowed_tenant_admin' })
  assert.deepEqual(can(owner, 'tenant.suspend', { tenantId: 't1' }), { allowed: false, reason: 'denied_operator_audience' })
  assert.deepEqual(can({ key: { kind: 'server' } }, 'snapshot.read'), { allowed: true, reason: 'allowed_key' })
  assert.deepEqual(can({ key: { kind: 'tenant', tenantId: 't1' } }, 'flag.evaluate', { tenantId: 't2' }), { allowed: false, reason: 'denied_key_scope' })
})

test('requests and their parts can be values, text or bytes', () => {
  const allowed = { allowed: true, reason: 'allowed_member' }
  const resource = { tenantId: 't1' }
  const forms = (value) => [value, JSON.stringify(value), ` ${JSON.stringify(value, null, 1)} `, Buffer.from(JSON.stringify(value))]
  for (const principal of forms(owner)) for (const part of forms(resource)) assert.deepEqual(can(principal, 'tenant.read', part), allowed)
  for (const request of forms({ principal: owner, action: 'tenant.read', resource })) assert.deepEqual(can(request), allowed)
})

test('malformed requests throw and never yield a decision', () => {
  assert.deepEqual(problemsOf(() => can(owner, 'tenant.paint')), ['unknown_action /action'])
  assert.deepEqual(problemsOf(() => can(owner, 'tenant.read')), ['missing /resource/tenantId'])
  assert.deepEqual(problemsOf(() => can(owner, 7)), ['wrong_type /action'])
  assert.deepEqual(problemsOf(() => can(owner, undefined, {})), ['missing /action'])
  assert.deepEqual(problemsOf(() => can(owner, '\ud800')), ['invalid_utf8 /action'])
  assert.deepEqual(problemsOf(() => can(undefined, 'user.me')), ['missing /principal'])
  assert.deepEqual(problemsOf(() => can(null, 'user.me', null)), ['missing /principal'])
  assert.deepEqual(problemsOf(() => can(7, 'user.me', 'x')), ['invalid_json /resource'])
  assert.deepEqual(problemsOf(() => can(7, 'user.me')), ['wrong_type /principal'])
  const record = { ...owner.user, role: 'king', active: 'yes' }
  assert.deepEqual(problemsOf(() => can({ ...owner, user: record }, 'user.me')), ['wrong_type /principal/user/active', 'unknown_role /principal/user/role'])
  assert.deepEqual(problemsOf(() => can()), ['missing /principal', 'missing /action'])
})

test('a text part must be one JSON value and cannot alter the request', () => {
  const server = '{"key":{"kind":"server"}}'
  for (const text of [`${server},"x":1`, `${server},"action":"key.create"`, `${server}}`, '', '{', `\ufeff${server}`])
    assert.deepEqual(problemsOf(() => can(text, 'snapshot.read')), ['invalid_json /principal'])
  assert.deepEqual(problemsOf(() => can(Buffer.from(`\ufeff${server}`), 'snapshot.read')), ['invalid_json /principal'])
  assert.deepEqual(problemsOf(() => can(Uint8Array.of(0xff), 'snapshot.read')), ['invalid_utf8 /principal'])
  assert.deepEqual(problemsOf(() => can('"\ud800"', 'snapshot.read')), ['invalid_utf8 /principal'])
  assert.deepEqual(problemsOf(() => can(server, 'snapshot.read', '{"a":1,"a":2}')), ['duplicate_member /resource/a'])
  assert.deepEqual(problemsOf(() => can('['.repeat(32) + ']'.repeat(32), 'snapshot.read')), ['too_deep '])
})
