// Closing a live client leaves nothing behind, and no sequence of failures makes a client use
// unpublished rules. Needs --expose-gc.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { digestOf, faults, snapshotOf } from './faulty.mjs'
import { connect, listen, serve, tenant, timing, until } from './following.mjs'
import { packageName, sdk } from './sdk.mjs'

/**
 * Runs `act` in another process. Returns how long the process still has timers and sockets after
 * it, and how long it takes to end by itself.
 */
async function runProcess(server, act) {
  const program = `
    import { connect } from '${packageName}'
    const options = { url: '${server.url}', key: 'dzk_test', maxBackoff: 5_000, timing: ${JSON.stringify(timing)} }
    const wait = (time) => new Promise((resolve) => setTimeout(resolve, time))
    ${act}
    const began = performance.now()
    const resources = /Timeout|TCP|HTTP|TLS|GetAddr|FSReq/
    let idle
    const look = () => {
      if (process.getActiveResourcesInfo().some((one) => resources.test(one))) return performance.now() - began < 3_000 && setImmediate(look)
      idle = performance.now() - began
    }
    look()
    process.on('exit', () => console.log(JSON.stringify({ idle, ended: performance.now() - began })))
  `
  const child = spawn(process.execPath, ['--input-type=module'], { cwd: import.meta.dirname, stdio: ['pipe', 'pipe', 'inherit'], timeout: 20_000 })
  child.stdin.end(program)
  const [[code], said] = await Promise.all([once(child, 'exit'), text(child.stdout)])
  assert.equal(code, 0, said)
  return JSON.parse(said)
}

const cases = {
  'a client that follows': [{}, 'const client = await connect(options); await wait(200); client.close(); client.close()'],
  'a client that `using` closes': [{}, '{ const client = await connect(options); await wait(200); client[Symbol.dispose]() }'],
  'a client whose first request is pending': [{ always: faults.hang }, `
    const client = await connect({ ...options, snapshot: ${JSON.stringify(snapshotOf(1, ['a']))} }); await wait(50); client.close()`],
  'a client that waits for retry-after': [{ always: faults.status(429, { 'retry-after': '60' }) }, `
    const client = await connect({ ...options, pastDeadline: 'off', deadline: 100 }); client.close()`],
  'a client without streams': [{ alwaysStream: faults.status(404) }, 'const client = await connect(options); await wait(300); client.close()'],
  'a client whose key is refused': [{ alwaysStream: faults.status(401) }, 'const client = await connect(options); await wait(200); client.close()'],
  'a connect that fails': [{ always: faults.hang }, 'await connect({ ...options, deadline: 100 }).catch(() => {})'],
}
for (const [name, [misbehaviour, act]] of Object.entries(cases)) {
  test(`${name} leaves no timer and no socket, and the process ends`, async () => {
    const server = Object.assign(await serve(), misbehaviour)
    const { idle, ended } = await runProcess(server, act)
    assert.ok(idle < 1_000 && ended < 2_000, `idle after ${idle} ms, ended after ${ended} ms`)
  })
}

test('every connection to the server ends', async () => {
  // Node keeps an idle connection for four seconds.
  const limit = 6_000
  const server = await serve()
  const client = await connect(server)
  await until(() => server.streams.size)
  for (let revision = 2; revision < 5; revision++) {
    server.publish(revision, [`flag-${revision}`])
    await until(() => client.ruleset.revision === revision)
  }
  await wait(100)
  client.close()
  await until(() => server.sockets.size === 0, limit)
})

test('close signs off with a last request, on the path that the client follows', async () => {
  for (const [options, path] of [[{}, '/flags/snapshot'], [{ tenant: 'acme' }, '/flags/slice?tenant=acme']]) {
    const server = await serve()
    const client = await connect(server, { ...options, instance: 'portal-7' })
    await until(() => server.streams.size && server.snapshots.length === 2)
    const closing = client.close()
    assert.equal(client.status, 'closed')
    assert.equal(await closing, undefined)
    assert.equal(client.close(), closing)
    const digest = digestOf(server.text)
    const signOffs = server.requests.filter(({ headers }) => headers['dezky-closing'])
    assert.deepEqual(signOffs.map(({ path, headers }) => [path, headers['dezky-closing'], headers['dezky-instance'], headers['if-none-match']]), [
      [path, '1', 'portal-7', `"${digest}"`],
    ])
    await until(() => server.streams.size === 0)
  }
})

test('signing off takes at most a second and never fails a close', async () => {
  const server = await serve()
  for (const fault of [faults.hang, faults.reset, faults.status(500), faults.status(401)]) {
    const client = await connect(server)
    const events = listen(client)
    await until(() => server.streams.size && events.length)
    const { length } = server.snapshots
    server.next.push(fault)
    const began = performance.now()
    await client.close()
    assert.ok(performance.now() - began < 1_500)
    assert.deepEqual([client.status, events.length], ['closed', 1])
    await until(() => server.snapshots.length > length && server.streams.size === 0)
    server.next.length = 0
  }
  // A server that refuses the key gets no last request.
  const { length } = server.requests
  server.always = faults.status(401)
  await (await connect(server, { pastDeadline: 'off' })).close()
  assert.equal(server.requests.length, length + 1)
})

test('after close no event is emitted, and the rules stay readable', async () => {
  const server = await serve()
  const client = await connect(server, { staleAfter: 50 })
  const events = listen(client)
  await until(() => events.length && server.streams.size)
  server.publish(2, ['b'])
  client.close()
  const { length } = events
  await wait(150)
  assert.deepEqual([events.length, client.status, client.ruleset.revision, client.isEnabled('a', tenant)], [length, 'closed', 1, true])
})

test('closed clients leave no memory behind', async () => {
  const server = await serve()
  const rounds = []
  for (let round = 0; round < 5; round++) {
    for (let one = 0; one < 20; one++) (await connect(server)).close()
    for (let collection = 0; collection < 3; collection++) {
      globalThis.gc()
      await wait(5)
    }
    rounds.push(process.memoryUsage().heapUsed)
  }
  const growth = Math.min(...rounds.slice(1).map((bytes, round) => bytes - rounds[round])) / 20
  assert.ok(growth < 20_000, `each client leaves ${growth} bytes behind`)
})

/** A repeatable sequence of random numbers. */
function* numbers(seed) {
  for (;;) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    yield seed >>> 8
  }
}

for (const seed of [1, 2, 3]) {
  test(`no sequence of failures makes the client use unpublished rules (${seed})`, async () => {
    const random = numbers(seed)
    const pick = (list) => list[random.next().value % list.length]
    const server = await serve()
    const client = await connect(server, { timing: { requestTimeout: 80, silence: 150, pollInterval: 80, spacing: 10 }, maxBackoff: 30 })
    const digests = new Map()
    const publishedDigests = () => {
      for (const text of server.published) if (!digests.has(text)) digests.set(text, sdk.Ruleset.fromSnapshot(text).digest)
      return new Set(digests.values())
    }
    let highest = 0
    const check = () => {
      const { digest, revision } = client.ruleset
      assert.ok(publishedDigests().has(digest), 'the rules were never published')
      assert.ok(revision >= highest, `revision ${revision} after ${highest}`)
      highest = revision
    }
    client.on('change', check)
    const kinds = [...Object.values(faults).filter((fault) => fault !== faults.status), ...[301, 404, 429, 500, 503].map((status) => faults.status(status)), undefined, undefined]
    for (let step = 2; step < 150; step++) {
      server.next.push(pick(kinds))
      server.nextStream.push(pick([undefined, faults.hang, faults.reset, faults.status(503), undefined]))
      const revision = random.next().value % 4 ? step : Math.max(1, step - 5)
      const act = pick(['publish', 'quietly', 'end', 'cut', 'wait'])
      if (act === 'publish') server.publish(revision, [`flag-${step}`])
      if (act === 'quietly') server.publish(revision, [`flag-${step}`], { quietly: true })
      if (act === 'end') server.endStreams()
      if (act === 'cut') for (const socket of server.sockets) socket.destroy()
      await wait(random.next().value % 25)
      check()
    }
    server.next.length = server.nextStream.length = 0
    server.publish(1_000, ['last'])
    await until(() => client.ruleset.revision === 1_000)
    check()
    assert.deepEqual([client.status, client.forTenant(tenant).enabledKeys()], ['ready', ['last']])
    client.close()
  })
}
