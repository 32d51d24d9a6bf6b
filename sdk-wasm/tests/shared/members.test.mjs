// Unknown members are rejected where people write documents, and inherited members have no effect.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acme, owner, problemsOf, sdk, snapshot, umbrella, world } from './sdk.mjs'

const { can, changedKeys, Ruleset, validate, World } = sdk
const rules = Ruleset.fromSnapshot(snapshot)
const population = World.fromJson(world)
const flag = { key: 'a', state: 'on' }
const tenant = { id: 't1', slug: 'acme', name: 'Acme', plan: 'free' }

/** Runs `act`, which must throw a DezkyError, and returns the messages of its problems. */
function messagesOf(act) {
  try {
    act()
  } catch (error) {
    return error.errors.map(({ message }) => message)
  }
  return assert.fail('no error was thrown')
}

test('an unknown member of a subject is rejected, and the nearest name is suggested', () => {
  const { partnerSlug: partner, ...rest } = acme
  for (const subject of [{ ...rest, partner }, { ...acme, partner }, { ...rest, partner: null }, JSON.stringify({ ...rest, partner })]) {
    for (const ask of [() => rules.forTenant(subject), () => rules.isEnabled('everyone', subject)]) {
      assert.deepEqual(problemsOf(ask), ['unknown_field /partner'])
      assert.match(messagesOf(ask)[0], /did you mean `partnerSlug`\?$/)
    }
  }
  assert.deepEqual(problemsOf(() => rules.fingerprint([acme, { ...rest, partner }])), ['unknown_field /1/partner'])
  assert.deepEqual(problemsOf(() => rules.forTenant({ ...acme, toString: 'x', __proto__: null })), ['unknown_field /toString'])
  // An undefined member counts as absent, even if its name is unknown.
  assert.equal(rules.forTenant({ ...acme, partner: undefined }).isEnabled('jmap_native_v2'), true)
})

test('unknown members of edits and validated documents are rejected', () => {
  const planning = (step) => () => population.plan({ edits: [step] })
  assert.deepEqual(problemsOf(planning({ kind: 'putFlag', flag: { ...flag, scop: {} } })), ['unknown_field /edits/0/flag/scop'])
  assert.match(messagesOf(planning({ kind: 'putFlag', flag: { ...flag, scop: {} } }))[0], /`scope`/)
  assert.deepEqual(problemsOf(planning({ kind: 'patchFlag', key: 'half', patch: { stat: 'on' } })), ['unknown_field /edits/0/patch/stat'])
  assert.deepEqual(problemsOf(planning({ kind: 'moveTenant', tenantId: 't1', plan: 'free', partner: 'x' })), ['unknown_field /edits/0/partner'])
  const errorsOf = ({ errors = [] }) => errors.map(({ code, path }) => `${code} ${path}`)
  assert.deepEqual(errorsOf(validate.flag({ ...flag, scop: {} })), ['unknown_field /scop'])
  assert.deepEqual(errorsOf(validate.tenant({ ...tenant, provisioning: { oicis: {} } })), ['unknown_field /provisioning/oicis'])
  assert.deepEqual(errorsOf(validate.snapshot({ ...snapshot, flags: [{ ...flag, scop: {} }] })), ['unknown_field /flags/0/scop'])
})

test('unknown members of snapshots and worlds are ignored', () => {
  const newer = { ...snapshot, note: 1, flags: snapshot.flags.map((each) => ({ ...each, note: 1 })) }
  assert.equal(Ruleset.fromSnapshot(newer).digest, rules.digest)
  assert.deepEqual(changedKeys(newer, snapshot), [])
  assert.equal(World.fromJson({ ...world, note: 1, flags: newer.flags }).fingerprint(), population.fingerprint())
})

test('the message of wrong_type names the expected type', () => {
  const [message] = messagesOf(() => population.plan({ edits: [{ kind: 'putFlag', flag: { ...flag, pct: '25' } }] }))
  assert.match(message, /a number/)
  assert.match(message, /a string/)
  assert.match(message, /0 to 100/)
})

test('a patch has the plan of the flag that results from it', () => {
  const scope = { plans: ['free'] }
  const patched = population.plan({ edits: [{ kind: 'patchFlag', key: 'whom', patch: { scope } }] })
  assert.deepEqual(patched, population.plan({ edits: [{ kind: 'putFlag', flag: { key: 'whom', state: 'targeted', scope } }] }))
  assert.deepEqual(patched.gained, [{ key: 'whom', tenantId: 't2' }])
  const half = population.plan({ edits: [{ kind: 'patchFlag', key: 'half', patch: { pct: null } }] })
  assert.deepEqual(half.gained, [])
})

test('a plan warns of likely mistakes', () => {
  const flag = { key: 'new', state: 'on', scope: { plans: ['bussiness'] } }
  const { warnings } = population.plan({ edits: [{ kind: 'putFlag', flag }] })
  const path = '/edits/0/flag/scope'
  const expected = [{ code: 'scope_ignored', path }, { code: 'unknown_name', path: `${path}/plans/0`, name: 'bussiness', nearest: 'business' }]
  assert.deepEqual(warnings, expected)
})

/** Returns many answers of the package as one JSON text. */
function answers() {
  const edits = [{ kind: 'moveTenant', tenantId: 't2', plan: 'business' }, { kind: 'patchFlag', key: 'half', patch: {} }]
  const values = [
    rules.forTenant(umbrella).all(), rules.forTenant(umbrella).explain('jmap_native_v2'), rules.isEnabled('staging_only', umbrella),
    rules.fingerprint([acme, umbrella]), Ruleset.fromSnapshot({ ...snapshot, flags: [flag] }).digest,
    population.plan({ edits }), World.fromJson(world).fingerprint(), population.counts('half'), validate.flag(flag), validate.tenant(tenant),
    can(owner, 'tenant.read', { tenantId: 't1' }), can(owner, 'tenant.list'), can({ principal: owner, action: 'tenant.list' }),
    problemsOf(() => rules.forTenant({ tenantId: 't1', plan: 'free' })), problemsOf(() => rules.forTenant([])),
  ]
  return JSON.stringify(values)
}

test('a polluted Object.prototype changes no answer', () => {
  const before = answers()
  const polluting = {
    tenantId: 't1', tenantSlug: 'acme', plan: 'business', partnerSlug: 'nordic', environment: 'staging', partner: 'nordic', key: 'half', state: 'on',
    pct: 100, scope: { plans: ['free'] }, description: 'x', kind: 'deleteFlag', edits: [], partnerId: 'p1', status: 'terminated', resource: {},
    tenantStatus: 'terminated', user: { platformAdmin: true }, operatorAudience: 'dezky-portal', fields: [], platformAdmin: true, format: 2, on() {},
    axis: 'plans', position: 1, code: 'x', path: '/x', 0: 'x',
  }
  for (const [name, value] of Object.entries(polluting)) {
    for (const enumerable of [true, false]) {
      Object.defineProperty(Object.prototype, name, { value, enumerable, writable: true, configurable: true })
      try {
        assert.equal(answers(), before, `${name}, ${enumerable}`)
      } finally {
        delete Object.prototype[name]
      }
    }
  }
  Object.assign(Object.prototype, polluting)
  try {
    assert.equal(answers(), before)
  } finally {
    for (const name of Object.keys(polluting)) delete Object.prototype[name]
  }
})
