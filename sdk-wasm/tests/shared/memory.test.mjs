// Replacing rulesets and worlds leaks no memory. Needs --expose-gc.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { acme, sdk, snapshot, world } from './sdk.mjs'

const { Ruleset, World } = sdk
const flags = Array.from({ length: 100 }, (_, flag) => ({ ...snapshot.flags[flag % 6], key: `flag-${flag}` }))
const rules = JSON.stringify({ ...snapshot, flags })
const population = JSON.stringify({ ...world, flags })

/**
 * Returns the leak per swap in bytes: the minimum of several rounds, because an allocator grows
 * only in some.
 */
async function leakPerSwap(swaps, swap) {
  const rounds = []
  for (let round = 0; round < 5; round++) {
    for (let done = 0; done < swaps / 5; done++) {
      swap()
      if (done % 50 === 0) await turn()
    }
    for (let collection = 0; collection < 3; collection++) {
      globalThis.gc()
      await turn()
    }
    rounds.push(process.memoryUsage.rss())
  }
  const growths = rounds.slice(1).map((bytes, round) => bytes - rounds[round])
  return Math.min(...growths) / (swaps / 5)
}

/**
 * The limit in bytes: a tenth of the JavaScript part of a ruleset of 100 flags. A real leak exceeds
 * it.
 */
const FLAT = 2_000

const cases = {
  'freed rulesets': () => {
    const ruleset = Ruleset.fromSnapshot(rules)
    ruleset.isEnabled('flag-1', acme)
    ruleset.free()
  },
  'rulesets left to the garbage collector': () => Ruleset.fromSnapshot(rules).isEnabled('flag-1', acme),
  'flags that outlive their ruleset': () => Ruleset.fromSnapshot(rules).forTenant(acme).explain('flag-1'),
  'worlds left to the garbage collector': () => World.fromJson(population).counts('flag-1'),
  'rejected snapshots': () => {
    try {
      Ruleset.fromSnapshot('{}')
    } catch {}
  },
}

for (const [name, swap] of Object.entries(cases)) {
  test(`10,000 ${name} leak no memory`, async () => {
    const bytes = await leakPerSwap(10_000, swap)
    assert.ok(bytes < FLAT, `each swap leaks ${bytes} bytes`)
  })
}

test('the garbage collector frees large worlds early', async () => {
  const tenants = Array.from({ length: 20_000 }, (_, tenant) => ({ id: `t${tenant}`, slug: `s${tenant}`, plan: 'free' }))
  const large = JSON.stringify({ ...world, tenants })
  const before = process.memoryUsage.rss()
  for (let round = 0; round < 300; round++) {
    World.fromJson(large)
    await turn()
  }
  const grown = process.memoryUsage.rss() - before
  assert.ok(grown < 150_000_000, `300 worlds took ${grown} bytes`)
})
