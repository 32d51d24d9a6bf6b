// Worlds, plans and ladders, and validation of the model's documents.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problemsOf, sdk, snapshot, world } from './sdk.mjs'

const { Ruleset, validate, World } = sdk
const zeros = '0'.repeat(64)
const change = {
  revision: 1, at: '2026-01-02T03:04:05Z', action: 'flag.update', entity: { kind: 'flag', id: 'f' },
  previousHash: zeros, hash: zeros,
}
const subscription = (amount) =>
  `{"id":"s1","tenantId":"t1","plan":"p","status":"active","price":{"amount":${amount},"currency":"eur","interval":"month"}}`

test('a world is read from text, bytes and a plain value', () => {
  for (const source of [world, JSON.stringify(world), Buffer.from(JSON.stringify(world))]) {
    const population = World.fromJson(source)
    assert.equal(population.revision, 481)
    assert.equal(population.environment, 'production')
    assert.equal(population.registered, 2)
    assert.deepEqual(population.counts('jmap_native_v2'), { on: 1, inScope: 1, registered: 2 })
  }
})

test('a plan lists the tenants that gain and lose each flag', () => {
  const population = World.fromJson(world)
  const edit = { edits: [
    { kind: 'putFlag', flag: { key: 'new', state: 'on' } },
    { kind: 'deleteFlag', key: 'everyone' },
    { kind: 'moveTenant', tenantId: 't1', partnerSlug: null },
  ] }
  const plan = population.plan(edit)
  assert.deepEqual(plan.gained, [{ key: 'new', tenantId: 't1' }, { key: 'new', tenantId: 't2' }])
  assert.deepEqual(plan.lost, [{ key: 'everyone', tenantId: 't1' }, { key: 'everyone', tenantId: 't2' }, { key: 'jmap_native_v2', tenantId: 't1' }])
  assert.equal(plan.baseRevision, 481)
  assert.match(plan.digest, /^[0-9a-f]{64}$/)
  assert.deepEqual(plan.byPlan, [{ plan: 'business', gained: 1, lost: 2 }, { plan: 'free', gained: 1, lost: 1 }])
  assert.deepEqual(plan.byPartner, [{ partnerSlug: null, gained: 1, lost: 1 }, { partnerSlug: 'nordic', gained: 1, lost: 2 }])
  assert.deepEqual(population.plan(JSON.stringify(edit)), plan)
  assert.deepEqual(population.plan(Buffer.from(JSON.stringify(edit))), plan)
  assert.deepEqual(problemsOf(() => population.plan({ edits: [] })), ['empty_edit /edits'])
  assert.deepEqual(problemsOf(() => population.plan({ edits: [{ kind: 'deleteFlag', key: 'none' }] })), ['unknown_flag /edits/0/key'])
})

test('a ladder lists tenants in rollout order', () => {
  const population = World.fromJson(world)
  const { key, steps } = population.ladder('half')
  assert.equal(key, 'half')
  assert.deepEqual(steps.map((step) => step.tenantId), ['t1'])
  assert.ok(Math.abs(steps[0].pct - steps[0].position - 0.01) < 1e-9)
  assert.deepEqual(problemsOf(() => population.ladder('none')), ['unknown_flag /key'])
  assert.deepEqual(problemsOf(() => population.counts(7)), ['wrong_type /key'])
  assert.deepEqual(problemsOf(() => population.counts('\udc00')), ['invalid_utf8 /key'])
})

test('the fingerprint equals that of a ruleset for the same tenants', () => {
  const subjects = [{ tenantId: 't1', tenantSlug: 'acme', plan: 'business', partnerSlug: 'nordic' }, { tenantId: 't2', tenantSlug: 'umbrella', plan: 'free' }]
  assert.equal(World.fromJson(world).fingerprint(), Ruleset.fromSnapshot(snapshot).fingerprint(subjects))
})

test('a freed world reports released', () => {
  const population = World.fromJson(world)
  population[Symbol.dispose]()
  population.free()
  for (const use of [() => population.counts('half'), () => population.ladder('half'), () => population.plan({ edits: [] }), () => population.fingerprint()])
    assert.deepEqual(problemsOf(use), ['released '])
  assert.equal(population.revision, 481)
})

test('all problems of a world are reported together', () => {
  const [partner] = world.partners
  const bad = { ...world, partners: [partner, partner], tenants: [{ ...world.tenants[1], partnerId: 'p9' }] }
  const expected = ['duplicate_id /partners/1/id', 'duplicate_slug /partners/1/slug', 'unknown_partner /tenants/0/partnerId']
  assert.deepEqual(problemsOf(() => World.fromJson(bad)).sort(), expected)
})

test('validation returns the normal form or the problems', () => {
  const { ok } = validate.tenant({ id: 't1', slug: 'acme', name: 'Acme', plan: 'business', domains: ['ACME.example'] })
  assert.equal(ok.status, 'active')
  assert.deepEqual(ok.domains, ['acme.example'])
  assert.deepEqual(Object.keys(validate.partner({ id: 'p1', slug: 'nordic', name: 'Nordic' })), ['ok'])
  assert.equal(validate.user(Buffer.from('{"id":"u1","email":"A@B.example"}')).ok.email, 'a@b.example')
  assert.equal(validate.flag({ key: 'a', state: 'on' }).ok.version, 1)
  assert.deepEqual(validate.tenant({}).errors.map(({ code, path }) => `${code} ${path}`), ['missing /id', 'missing /slug', 'missing /name', 'missing /plan'])
  assert.deepEqual(Object.keys(validate.tenant('')), ['errors'])
})

test('validation returns a snapshot in canonical form', () => {
  const { ok } = validate.snapshot({ revision: 1, format: 1, environment: 'p', flags: [{ state: 'rollout', key: 'b', pct: 2.5e1 }, { key: 'a', state: 'on' }] })
  const scope = '"scope":{"plans":[],"tenantSlugs":[],"partnerSlugs":[],"environments":[]}'
  const canonical = `{"format":1,"revision":1,"environment":"p","flags":[{"key":"a","state":"on","pct":0,${scope}},{"key":"b","state":"rollout","pct":25,${scope}}]}`
  assert.equal(JSON.stringify(ok), canonical)
})

test('whole numbers keep every digit', () => {
  const amount = (written) => validate.subscription(subscription(written)).ok.price.amount
  assert.equal(amount('4900'), 4900)
  assert.equal(amount('9007199254740991'), 9007199254740991)
  assert.equal(amount('9007199254740992'), 9007199254740992n)
  assert.equal(amount('9007199254740993'), 9007199254740993n)
  assert.equal(amount('9223372036854775807'), 9223372036854775807n)
  const given = JSON.parse(subscription(1))
  given.price.amount = 9223372036854775807n
  assert.equal(validate.subscription(given).ok.price.amount, 9223372036854775807n)
  given.price.amount = 9223372036854775808n
  assert.deepEqual(validate.subscription(given).errors.map(({ code, path }) => `${code} ${path}`), ['invalid_number /price/amount'])
  assert.equal(validate.subscription({ ...given, price: { ...given.price, amount: 5n } }).ok.price.amount, 5)
})

test('any JSON value in a change is returned unchanged', () => {
  const hard = [-9223372036854775808n, '9007199254740993', '#9007199254740993', '##', '"9007199254740993\\', '\\', 0.1, 12345678901234.5, -1, null, { '#9007199254740993': '"' }]
  const { ok } = validate.change({ ...change, before: hard, after: { __proto__: null, ['__proto__']: [1], n: 9007199254740993n } })
  assert.deepEqual(ok.before, hard)
  assert.equal(ok.after.n, 9007199254740993n)
  assert.deepEqual(Object.keys(ok.after).sort(), ['__proto__', 'n'])
  const long = '"9'.repeat(100_000)
  assert.deepEqual(validate.change({ ...change, after: [long, 9007199254740993n] }).ok.after, [long, 9007199254740993n])
})

test('validation returns problems of JavaScript values and throws nothing', () => {
  const problems = (document) => validate.tenant(document).errors.map(({ code, path }) => `${code} ${path}`)
  assert.deepEqual(problems({ get id() { throw new Error() } }), ['unreadable /id'])
  assert.deepEqual(problems(undefined), ['wrong_type '])
  assert.deepEqual(problems({ id: '\ud800' }), ['invalid_utf8 /id'])
  assert.deepEqual(problems(Symbol('x')), ['wrong_type '])
})
