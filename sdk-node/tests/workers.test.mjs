// The native engine in worker threads.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { Ruleset } from '@dezky/sdk-node'
import { acme, snapshot, world } from './sdk.mjs'

test('eight workers give the same answers and exit', async () => {
  const rules = Ruleset.fromSnapshot(snapshot)
  const answers = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const worker = new Worker(new URL('./worker.mjs', import.meta.url), { workerData: { snapshot, world, acme } })
      const [[answer], [exit]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')])
      return { ...answer, exit }
    }),
  )
  for (const answer of answers) assert.deepEqual(answer, { on: 1000, registered: 2, digest: rules.digest, errors: 4, exit: 0 })
  assert.deepEqual(rules.forTenant(acme).enabledKeys().length, 2)
})
