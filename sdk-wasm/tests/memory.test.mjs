// WASM memory never shrinks, so replacing rulesets must not make it grow. Needs --expose-gc.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { installed } from './installed.mjs'

const memories = []
const { Instance } = WebAssembly
WebAssembly.Instance = class extends Instance {
  constructor(...given) {
    super(...given)
    memories.push(this.exports.memory)
  }
}
const resolve = (name) => pathToFileURL(createRequire(join(installed, 'package.json')).resolve(name))
const { Ruleset, World } = await import(resolve('@dezky/sdk-wasm'))

const acme = { tenantId: 't1', tenantSlug: 'acme', plan: 'business' }
const flags = Array.from({ length: 100 }, (_, flag) => ({ key: `flag-${flag}`, state: 'rollout', pct: 25, scope: { plans: ['business', `p${flag}`] } }))
const snapshot = JSON.stringify({ format: 1, revision: 1, environment: 'production', flags })
const tenants = Array.from({ length: 100 }, (_, tenant) => ({ id: `t${tenant}`, slug: `s${tenant}`, plan: 'business' }))
const world = JSON.stringify({ revision: 1, environment: 'production', partners: [], tenants, flags })

const size = () => memories.reduce((total, { buffer }) => total + buffer.byteLength, 0)

/**
 * Returns the growth of the modules' memory in bytes per call, measured over the second half of the
 * calls.
 */
async function growth(times, make) {
  let before
  for (let done = 0; done < times; done++) {
    make()
    if (done % 50 === 49) {
      globalThis.gc()
      await turn()
    }
    if (done === times / 2) before = size()
  }
  return (size() - before) / (times / 2)
}

const cases = {
  'freed rulesets': [10_000, () => {
    const rules = Ruleset.fromSnapshot(snapshot)
    rules.forTenant(acme)
    rules.free()
  }],
  'rulesets left to the garbage collector': [10_000, () => Ruleset.fromSnapshot(snapshot).forTenant(acme)],
  'freed worlds': [10_000, () => World.fromJson(world).free()],
  'worlds left to the garbage collector': [10_000, () => World.fromJson(world).counts('flag-1')],
}
/**
 * The limit in bytes per call. A ruleset of these flags takes over 20,000; a page of WASM has
 * 65,536.
 */
const FLAT = 20

for (const [name, [times, make]] of Object.entries(cases)) {
  test(`${times} ${name} do not grow the memory`, async () => {
    const bytes = await growth(times, make)
    assert.ok(bytes < FLAT, `each call leaks ${bytes} bytes`)
  })
}

test('the garbage collector does not free a ruleset twice', async () => {
  const kept = []
  for (let round = 0; round < 100; round++) {
    Ruleset.fromSnapshot(snapshot).free()
    kept.push(Ruleset.fromSnapshot(snapshot))
    globalThis.gc()
    await turn()
  }
  for (const rules of kept) assert.equal(rules.forTenant(acme).explain('flag-1').key, 'flag-1')
})

test('a document is written correctly when its buffer grows the memory', () => {
  const before = size()
  const many = Array.from({ length: 20_000 }, (_, flag) => ({ key: `flag-${flag}`, state: flag % 2 ? 'on' : 'off' }))
  const rules = Ruleset.fromSnapshot({ format: 1, revision: 1, environment: 'production', flags: many })
  assert.ok(size() > before)
  assert.equal(rules.forTenant(acme).enabledKeys().length, 10_000)
  rules.free()
})
