// Values that are no documents: each is rejected with its code and path, and none is coerced.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createContext, runInContext } from 'node:vm'
import { acme, problemsOf, sdk, snapshot, world } from './sdk.mjs'

const { can, DezkyError, Ruleset, rolloutPosition, World } = sdk
const rules = Ruleset.fromSnapshot(snapshot)
const population = World.fromJson(world)
const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}
const throwing = (trap) => new Proxy({}, { [trap]() { throw new Error('no') } })
const cycle = () => {
  const value = {}
  value.self = value
  return value
}

/** Each value with the code of its problem, whose path is the value's own. */
const hostile = [
  [undefined, 'wrong_type'],
  [NaN, 'wrong_type'],
  [Infinity, 'wrong_type'],
  [() => 1, 'wrong_type'],
  [Symbol('x'), 'wrong_type'],
  [new Date(0), 'wrong_type'],
  [new Map(), 'wrong_type'],
  [new Set(), 'wrong_type'],
  [/x/, 'wrong_type'],
  [new (class Tenant {})(), 'wrong_type'],
  [new String('x'), 'wrong_type'],
  [Object(1n), 'wrong_type'],
  [new Uint16Array(2), 'wrong_type'],
  [new ArrayBuffer(2), 'wrong_type'],
  [new Proxy(new Uint8Array(2), {}), 'wrong_type'],
  [Promise.resolve(), 'wrong_type'],
  [Object.create({ inherited: 1 }), 'wrong_type'],
  [revoked(), 'unreadable'],
  [throwing('getPrototypeOf'), 'unreadable'],
  [throwing('ownKeys'), 'unreadable'],
]

test('hostile values are rejected as documents and as members', () => {
  for (const [value, code] of hostile) {
    assert.deepEqual(problemsOf(() => Ruleset.fromSnapshot(value)), [`${code} `])
    assert.deepEqual(problemsOf(() => rules.forTenant(value)), [`${code} `])
    assert.deepEqual(problemsOf(() => rules.isEnabled('everyone', value)), [`${code} `])
    assert.deepEqual(problemsOf(() => World.fromJson(value)), [`${code} `])
    assert.deepEqual(problemsOf(() => population.plan(value)), [`${code} `])
    assert.deepEqual(problemsOf(() => rules.fingerprint([value])), [`${code} /0`])
    if (value === undefined) continue
    assert.deepEqual(problemsOf(() => rules.forTenant({ ...acme, tenantId: value })), [`${code} /tenantId`])
    assert.deepEqual(problemsOf(() => rules.forTenant({ ...acme, environment: value })), [`${code} /environment`])
    assert.deepEqual(problemsOf(() => can(value, 'user.me')), [`${code} /principal`])
    assert.deepEqual(problemsOf(() => can({}, 'user.me', { fields: [value] })), [`${code} /resource/fields/0`])
    assert.deepEqual(problemsOf(() => Ruleset.fromSnapshot({ ...snapshot, 'a/~b': { c: [1, value] } })), [`${code} /a~1~0b/c/1`])
  }
})

test('names of other types than string are rejected', () => {
  for (const value of [0, 7, true, false, 7n, [], {}, ['t1']]) {
    assert.deepEqual(problemsOf(() => rules.forTenant({ ...acme, tenantId: value })), ['wrong_type /tenantId'])
    assert.deepEqual(problemsOf(() => rules.forTenant({ ...acme, partnerSlug: value })), ['wrong_type /partnerSlug'])
    assert.deepEqual(problemsOf(() => rules.forTenant(acme).isEnabled(value)), ['wrong_type /key'])
    assert.deepEqual(problemsOf(() => rules.forTenant(acme).explain(value)), ['wrong_type /key'])
    assert.deepEqual(problemsOf(() => rules.isEnabled(value, acme)), ['wrong_type /key'])
    assert.deepEqual(problemsOf(() => rolloutPosition(value, 'k')), ['wrong_type /tenantId'])
    assert.deepEqual(problemsOf(() => rolloutPosition('t', value)), ['wrong_type /key'])
  }
  for (const value of [undefined, null, Symbol('k'), { toString: () => 'everyone' }]) {
    assert.deepEqual(problemsOf(() => rules.forTenant(acme).isEnabled(value)), ['wrong_type /key'])
    assert.deepEqual(problemsOf(() => rules.forTenant(acme).explain(value)), ['wrong_type /key'])
  }
})

test('lone surrogates are rejected', () => {
  for (const lone of ['\ud800', 'a\udc00b', '\udc00\ud800']) {
    assert.deepEqual(problemsOf(() => Ruleset.fromSnapshot(`"${lone}"`)), ['invalid_utf8 '])
    assert.deepEqual(problemsOf(() => rules.forTenant({ ...acme, tenantSlug: lone })), ['invalid_utf8 /tenantSlug'])
    assert.deepEqual(problemsOf(() => rules.forTenant({ ...acme, [lone]: 1, plan: 'P' })), ['invalid_utf8 '])
    assert.deepEqual(problemsOf(() => can({ deep: { [lone]: 1 } }, 'user.me')), ['invalid_utf8 /principal/deep'])
    assert.deepEqual(problemsOf(() => rules.forTenant(acme).isEnabled(lone)), ['invalid_utf8 /key'])
    assert.deepEqual(problemsOf(() => rules.forTenant(acme).explain(lone)), ['invalid_utf8 /key'])
    assert.deepEqual(problemsOf(() => rolloutPosition(lone, 'k')), ['invalid_utf8 /tenantId'])
    assert.deepEqual(problemsOf(() => rolloutPosition('t', lone)), ['invalid_utf8 /key'])
  }
  assert.equal(typeof rolloutPosition('\u{1f600}', '\u0000'), 'number')
})

test('values that throw when read are unreadable', () => {
  const thrower = (name) => ({ ...acme, get [name]() { throw new DOMException('no') } })
  for (const name of Object.keys(acme)) assert.deepEqual(problemsOf(() => rules.forTenant(thrower(name))), [`unreadable /${name}`])
  assert.deepEqual(problemsOf(() => rules.forTenant(throwing('get'))), ['missing /tenantId', 'missing /tenantSlug', 'missing /plan'])
  const list = new Proxy([1], { get() { throw 1 } })
  assert.deepEqual(problemsOf(() => rules.fingerprint(list)), ['unreadable '])
  const items = new Proxy([1, 2], { get: (target, name) => { if (name === '1') throw 1; return target[name] } })
  assert.deepEqual(problemsOf(() => can({}, 'user.me', { fields: items })), ['unreadable /resource/fields/1'])
  const dishonest = new Proxy([], { get: (_, name) => (name === 'length' ? { valueOf() { throw 1 } } : 1) })
  assert.deepEqual(problemsOf(() => rules.fingerprint(dishonest)), ['unreadable '])
})

test('each member of a subject is read once', () => {
  let reads = 0
  const shifting = { ...acme, get tenantId() { return reads++ ? 't1' : 't\n1' } }
  assert.equal(rules.forTenant(shifting).isEnabled('jmap_native_v2'), true)
})

test('undefined members count as absent; holes in a list are rejected', () => {
  assert.equal(rules.forTenant({ ...acme, tenantId: 't1', partnerSlug: undefined }).isEnabled('everyone'), true)
  assert.deepEqual(problemsOf(() => rules.forTenant({ ...acme, plan: undefined })), ['missing /plan'])
  // eslint-disable-next-line no-sparse-arrays
  assert.deepEqual(problemsOf(() => rules.fingerprint([acme, , acme])), ['wrong_type /1'])
  assert.deepEqual(problemsOf(() => rules.fingerprint(new Array(2 ** 32 - 1))), ['wrong_type /0'])
})

test('values that are too deep, too long or cyclic are rejected', () => {
  let deep = {}
  for (let level = 1; level < 32; level++) deep = { deep }
  assert.deepEqual(problemsOf(() => rules.forTenant({ ...acme, more: deep.deep })), ['unknown_field /more'])
  assert.equal(Ruleset.fromSnapshot({ ...snapshot, more: deep.deep }).forTenant(acme).isEnabled('everyone'), true)
  assert.deepEqual(problemsOf(() => Ruleset.fromSnapshot({ ...snapshot, deep: { deep } })), ['too_deep '])
  assert.deepEqual(problemsOf(() => Ruleset.fromSnapshot(cycle())), ['too_deep '])
  assert.deepEqual(problemsOf(() => can(cycle(), 'user.me')), ['too_deep '])
  const list = []
  list.push(list)
  assert.deepEqual(problemsOf(() => rules.fingerprint(list)), ['too_deep '])

  const long = 'x'.repeat(2_000_000)
  assert.deepEqual(problemsOf(() => rules.forTenant({ ...acme, tenantId: long })), ['invalid_id /tenantId'])
  assert.equal(rules.forTenant(acme).isEnabled(long), false)
  assert.equal(rules.forTenant(acme).explain(long).key, long)
  assert.equal(typeof rolloutPosition(long, long), 'number')
  const huge = 'x'.repeat(2 ** 29 - 24)
  assert.deepEqual(problemsOf(() => Ruleset.fromSnapshot(huge)), ['document_too_large '])
  assert.deepEqual(problemsOf(() => rules.forTenant({ ...acme, tenantId: huge })), ['document_too_large '])
  assert.deepEqual(problemsOf(() => rolloutPosition(huge, 'k')), ['document_too_large '])
  let shared = 'xxxxxxxxxxxxxxxx'
  for (let level = 0; level < 31; level++) shared = [shared, shared]
  assert.deepEqual(problemsOf(() => rules.fingerprint(shared)), ['document_too_large '])
})

test('plain values of another realm are accepted', () => {
  const realm = createContext({})
  const foreign = runInContext(`({ subject: ${JSON.stringify(acme)}, bytes: new Uint8Array([123, 125]), date: new Date(0) })`, realm)
  assert.equal(rules.forTenant(foreign.subject).isEnabled('jmap_native_v2'), true)
  assert.deepEqual(problemsOf(() => Ruleset.fromSnapshot(foreign.bytes))[0], 'missing /format')
  assert.deepEqual(problemsOf(() => Ruleset.fromSnapshot(foreign.date)), ['wrong_type '])
})

test('shared, partial and subclassed bytes are read; detached bytes are empty', () => {
  const text = Buffer.from(JSON.stringify(snapshot))
  const shared = new Uint8Array(new SharedArrayBuffer(text.length))
  shared.set(text)
  assert.equal(Ruleset.fromSnapshot(shared).revision, 481)
  const part = new Uint8Array(text.length + 9).subarray(4, 4 + text.length)
  part.set(text)
  assert.equal(Ruleset.fromSnapshot(part).revision, 481)
  class Bytes extends Uint8Array {}
  assert.equal(Ruleset.fromSnapshot(Bytes.from(text)).revision, 481)
  const detached = new Uint8Array(8)
  structuredClone(detached.buffer, { transfer: [detached.buffer] })
  assert.deepEqual(problemsOf(() => Ruleset.fromSnapshot(detached)), ['invalid_json '])
  assert.deepEqual(problemsOf(() => Ruleset.fromSnapshot(new Uint8Array(0))), ['invalid_json '])
})

test('a DezkyError is an Error', () => {
  try {
    Ruleset.fromSnapshot('{}')
    assert.fail('no error was thrown')
  } catch (error) {
    assert.ok(error instanceof Error && error instanceof DezkyError)
    assert.match(String(error), /^DezkyError: missing at "\/format": /)
    assert.equal(Object.prototype.toString.call(error), '[object Error]')
  }
})
