// Swapping rulesets and worlds keeps memory flat, whether they are freed or left to the garbage collector. Needs --expose-gc.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { acme, sdk, snapshot, world } from './sdk.mjs'

const { Ruleset, World } = sdk
const flags = Array.from({ length: 100 }, (_, flag) => ({ ...snapshot.flags[flag % 6], key: `flag-${flag}` }))
const rules = JSON.stringify({ ...snapshot, flags })
const population = JSON.stringify({ ...world, flags })

/** Bytes that each swap leaves behind. What leaks does so in every round; allocators take what they keep in some. */
async function leftBehind(swaps, swap) {
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

/** A tenth of what a ruleset of 100 flags takes in JavaScript alone: what a collector has not got round to is less, what leaks is more. */
const FLAT = 2_000

const cases = {
  'rulesets that are freed': () => {
    const ruleset = Ruleset.fromSnapshot(rules)
    ruleset.isEnabled('flag-1', acme)
    ruleset.free()
  },
  'rulesets that are dropped': () => Ruleset.fromSnapshot(rules).isEnabled('flag-1', acme),
  'flags that outlive their ruleset': () => Ruleset.fromSnapshot(rules).forTenant(acme).explain('flag-1'),
  'worlds that are dropped': () => World.fromJson(population).counts('flag-1'),
  'snapshots that are refused': () => {
    try {
      Ruleset.fromSnapshot('{}')
    } catch {}
  },
}

for (const [name, swap] of Object.entries(cases)) {
  test(`10,000 ${name}`, async () => {
    const bytes = await leftBehind(10_000, swap)
    assert.ok(bytes < FLAT, `each leaves ${bytes} bytes behind`)
  })
}

test('large worlds that are dropped do not wait for each other', async () => {
  const tenants = Array.from({ length: 20_000 }, (_, tenant) => ({ id: `t${tenant}`, slug: `s${tenant}`, plan: 'free' }))
  const large = JSON.stringify({ ...world, tenants })
  const before = process.memoryUsage.rss()
  for (let round = 0; round < 300; round++) {
    World.fromJson(large)
    await turn()
  }
  const grown = process.memoryUsage.rss() - before
  assert.ok(grown < 150_000_000, `300 of them take ${grown} bytes`)
})
