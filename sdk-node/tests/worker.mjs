// The program of each thread in workers.test.mjs.
import { parentPort, workerData } from 'node:worker_threads'
import { Ruleset, validate, World } from '@dezky/sdk-node'

const { snapshot, world, acme } = workerData
let on = 0
for (let round = 0; round < 500; round++) on += Ruleset.fromSnapshot(snapshot).forTenant(acme).enabledKeys().length
const { registered } = World.fromJson(world)
const { digest } = Ruleset.fromSnapshot(snapshot)
parentPort.postMessage({ on, registered, digest, errors: validate.tenant({}).errors.length })
