// Rulesets, and the flags that they evaluate for a tenant.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acme, problemsOf, sdk, snapshot, umbrella } from './sdk.mjs'

const { Ruleset, changedKeys, rolloutPosition } = sdk
const text = JSON.stringify(snapshot)

test('a snapshot is read from text, bytes and a plain value', () => {
  for (const source of [text, new TextEncoder().encode(text), Buffer.from(text), snapshot, Object.freeze({ ...snapshot })]) {
    const rules = Ruleset.fromSnapshot(source)
    assert.equal(rules.revision, 481)
    assert.equal(rules.environment, 'production')
    assert.deepEqual(rules.keys, ['everyone', 'half', 'jmap_native_v2', 'nobody', 'staging_only', 'whom'])
    assert.match(rules.digest, /^[0-9a-f]{64}$/)
    assert.equal(rules.digest, Ruleset.fromSnapshot(text).digest)
  }
})

test('a snapshot without flags has no keys', () => {
  const rules = Ruleset.fromSnapshot({ ...snapshot, flags: [] })
  assert.deepEqual(rules.keys, [])
  const flags = rules.forTenant(acme)
  assert.deepEqual([flags.all(), flags.enabledKeys(), flags.isEnabled('everyone')], [{}, [], false])
})

test('a tenant gets its flags', () => {
  const flags = Ruleset.fromSnapshot(text).forTenant(acme)
  assert.equal(flags.isEnabled('jmap_native_v2'), true)
  assert.equal(flags.isEnabled('nobody'), false)
  assert.equal(flags.isEnabled('no_such_flag'), false)
  const all = { everyone: true, half: false, jmap_native_v2: true, nobody: false, staging_only: false, whom: false }
  assert.deepEqual(flags.all(), all)
  assert.deepEqual(flags.enabledKeys(), ['everyone', 'jmap_native_v2'])
  assert.deepEqual(flags.toJSON(), { revision: 481, environment: 'production', flags: all })
  assert.equal(JSON.stringify(flags), JSON.stringify({ revision: 481, environment: 'production', flags: all }))
})

test('a subject can be a value, text or bytes, without its optional members', () => {
  const rules = Ruleset.fromSnapshot(text)
  const { environment, ...rest } = acme
  const subjects = [acme, JSON.stringify(acme), Buffer.from(JSON.stringify(acme)), rest, { ...rest, environment: null },
    { ...rest, environment: undefined }, Object.assign(Object.create(null), acme)]
  for (const subject of subjects) {
    assert.deepEqual(rules.forTenant(subject).enabledKeys(), ['everyone', 'jmap_native_v2'])
    assert.equal(rules.isEnabled('jmap_native_v2', subject), true)
    assert.equal(rules.isEnabled('jmap_native_v2', subject), true)
  }
  assert.throws(() => rules.forTenant({ ...acme, more: { members: 1 } }), { code: 'unknown_field', path: '/more' })
  assert.equal(rules.forTenant({ ...acme, environment: 'staging' }).isEnabled('staging_only'), true)
  assert.equal(rules.forTenant({ ...acme, partnerSlug: null }).isEnabled('jmap_native_v2'), false)
})

test('300 flags are packed into bits without collisions', () => {
  const flags = Array.from({ length: 300 }, (_, flag) => ({ key: `flag-${flag}`, state: flag % 3 ? 'off' : 'on' }))
  const rules = Ruleset.fromSnapshot({ ...snapshot, flags })
  const tenant = rules.forTenant(acme)
  for (const { key, state } of flags) assert.equal(tenant.isEnabled(key), state === 'on', key)
  assert.equal(tenant.enabledKeys().length, 100)
  assert.deepEqual(Object.keys(tenant.all()), rules.keys)
})

test('keys that are properties of Object.prototype are ordinary flags', () => {
  const rules = Ruleset.fromSnapshot({ ...snapshot, flags: [{ key: 'constructor', state: 'on' }, { key: '7', state: 'on' }] })
  const flags = rules.forTenant(acme)
  assert.deepEqual({ ...flags.all() }, { 7: true, constructor: true })
  assert.equal(flags.isEnabled('constructor'), true)
  assert.equal(flags.isEnabled('toString'), false)
  assert.equal(flags.isEnabled('__proto__'), false)
  assert.deepEqual(problemsOf(() => flags.isEnabled(7)), ['wrong_type /key'])
})

test('an explanation has the reason and its details', () => {
  const rules = Ruleset.fromSnapshot(text)
  const explain = (key, subject = acme) => rules.forTenant(subject).explain(key)
  assert.deepEqual(explain('nobody'), { key: 'nobody', enabled: false, reason: 'off' })
  assert.deepEqual(explain('everyone'), { key: 'everyone', enabled: true, reason: 'on' })
  assert.deepEqual(explain('whom'), { key: 'whom', enabled: false, reason: 'empty_scope' })
  assert.deepEqual(explain('jmap_native_v2'), { key: 'jmap_native_v2', enabled: true, reason: 'targeted' })
  const missed = { key: 'jmap_native_v2', enabled: false, reason: 'out_of_scope', axis: 'plans' }
  assert.deepEqual(explain('jmap_native_v2', umbrella), missed)
  const position = rolloutPosition('t1', 'half') / 100
  assert.deepEqual(explain('half'), { key: 'half', enabled: false, reason: 'out_of_rollout', position, pct: 50.5 })
  assert.deepEqual(explain('constructor'), { key: 'constructor', enabled: false, reason: 'unknown_flag' })
  assert.deepEqual(explain(''), { key: '', enabled: false, reason: 'unknown_flag' })
  assert.deepEqual(explain('a "key" \\ \u0000 \u{1f600}').key, 'a "key" \\ \u0000 \u{1f600}')
})

test('isEnabled answers for more tenants than it caches', () => {
  const rules = Ruleset.fromSnapshot({ ...snapshot, flags: [{ key: 'half', state: 'rollout', pct: 50 }] })
  for (let round = 0; round < 2; round++) {
    for (let tenant = 0; tenant < 3000; tenant++) {
      const expected = rolloutPosition(`t${tenant}`, 'half') < 5000
      assert.equal(rules.isEnabled('half', { tenantId: `t${tenant}`, tenantSlug: 'acme', plan: 'free' }), expected)
    }
  }
})

test('a fingerprint covers all subjects, in any order', () => {
  const rules = Ruleset.fromSnapshot(text)
  const fingerprint = rules.fingerprint([acme, umbrella])
  assert.match(fingerprint, /^[0-9a-f]{64}$/)
  for (const subjects of [[umbrella, acme], JSON.stringify([acme, umbrella]), Buffer.from(JSON.stringify([acme, umbrella]))])
    assert.equal(rules.fingerprint(subjects), fingerprint)
  assert.deepEqual(problemsOf(() => rules.fingerprint([acme, { ...umbrella, plan: 'Free' }])), ['invalid_plan /1/plan'])
})

test('positions equal the published check values', () => {
  assert.equal(Math.floor(rolloutPosition('t1', 'flag-a') / 100), 63)
  assert.equal(Math.floor(rolloutPosition('acme', 'new-portal') / 100), 69)
  assert.equal(Math.floor(rolloutPosition('00000000-0000-4000-8000-000000000001', 'billing-v2') / 100), 15)
})

test('changedKeys lists changed, removed and added flags', () => {
  const [everyone, half, ...others] = snapshot.flags
  const after = { ...snapshot, revision: 482, flags: [{ ...everyone, state: 'off' }, ...others, { key: 'zebra', state: 'on' }] }
  assert.deepEqual(changedKeys(snapshot, after), ['everyone', half.key, 'zebra'])
  assert.deepEqual(changedKeys(text, Buffer.from(text)), [])
  assert.deepEqual(problemsOf(() => changedKeys(text, '{')), ['invalid_json '])
})

test('all problems of a document are reported together', () => {
  const bad = { ...snapshot, environment: 'Production', flags: [{ key: 'a', state: 'maybe' }, { key: 'a/b~c', state: 'on', pct: 1.001 }] }
  const expected = ['invalid_environment /environment', 'unknown_state /flags/0/state', 'invalid_flag_key /flags/1/key', 'pct_precision /flags/1/pct']
  assert.deepEqual(problemsOf(() => Ruleset.fromSnapshot(bad)), expected)
  assert.deepEqual(problemsOf(() => Ruleset.fromSnapshot('{"format":2}')), ['unknown_format /format'])
  assert.deepEqual(problemsOf(() => Ruleset.fromSnapshot('{"a":1,"a":2}')), ['duplicate_member /a'])
  assert.deepEqual(problemsOf(() => Ruleset.fromSnapshot(Uint8Array.of(0xff))), ['invalid_utf8 '])
  const many = { ...snapshot, flags: Array.from({ length: 200 }, () => ({ key: '', state: 'on' })) }
  assert.equal(problemsOf(() => Ruleset.fromSnapshot(many)).length, 100)
  const rules = Ruleset.fromSnapshot(text)
  const wrong = ['invalid_id /tenantId', 'invalid_slug /tenantSlug', 'missing /plan', 'invalid_slug /partnerSlug', 'invalid_environment /environment']
  const subject = { tenantId: 'a\nb', tenantSlug: '', plan: null, partnerSlug: '', environment: 'X' }
  assert.deepEqual(problemsOf(() => rules.forTenant(subject)), wrong)
  assert.deepEqual(problemsOf(() => rules.isEnabled('everyone', subject)), wrong)
})

test('a freed ruleset reports released, and its flags stay readable', () => {
  const rules = Ruleset.fromSnapshot(text)
  const flags = rules.forTenant(acme)
  assert.equal(rules.isEnabled('everyone', acme), true)
  rules.free()
  rules.free()
  assert.equal(flags.isEnabled('everyone'), true)
  assert.equal(flags.toJSON().revision, 481)
  for (const use of [() => rules.forTenant(acme), () => rules.isEnabled('everyone', acme), () => flags.explain('everyone'), () => rules.fingerprint([])])
    assert.deepEqual(problemsOf(use), ['released '])
})

test('Symbol.dispose frees the ruleset', () => {
  assert.equal(typeof Symbol.dispose, 'symbol')
  const rules = Ruleset.fromSnapshot(text)
  rules[Symbol.dispose]()
  assert.deepEqual(problemsOf(() => rules.forTenant(acme)), ['released '])
})
