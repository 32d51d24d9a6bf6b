// The live client against a server without failures.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { digestOf, snapshotOf } from './faulty.mjs'
import { rejectionOf, connect, follow, isStreaming, listen, namesOf, serve, tenant, until } from './following.mjs'
import { sdk } from './sdk.mjs'

test('the test server publishes canonical snapshots', () => {
  const text = snapshotOf(7, ['b', 'a'])
  assert.equal(sdk.Ruleset.fromSnapshot(text).digest, digestOf(text))
})

test('connect resolves with the first snapshot, and ready is emitted after', async () => {
  const server = await serve({ revision: 5, keys: ['a', 'b'] })
  const client = await connect(server)
  const events = listen(client)
  assert.deepEqual([client.status, client.ruleset.revision, client.ruleset.keys], ['ready', 5, ['a', 'b']])
  assert.deepEqual([client.isEnabled('a', tenant), client.forTenant(tenant).enabledKeys()], [true, ['a', 'b']])
  assert.ok(client.ruleset instanceof sdk.Ruleset)
  await until(() => events.length)
  assert.deepEqual(events, [['ready', { revision: 5 }]])
})

test('requests have the key, the instance, and the digest in use', async () => {
  const server = await serve()
  const client = await connect(server, { url: `${server.url}/behind/a/path/`, instance: 'test-1', timing: { pollInterval: 60 } })
  await until(() => server.snapshots.length > 4)
  const digest = digestOf(server.text)
  const [first, ...others] = server.snapshots
  assert.deepEqual([first.headers['dezky-digest'], first.headers['if-none-match']], [undefined, undefined])
  for (const { path, headers } of server.requests) {
    assert.ok(['/behind/a/path/flags/snapshot', '/behind/a/path/flags/stream'].includes(path), path)
    assert.deepEqual([headers.authorization, headers['dezky-instance']], ['Bearer dzk_test', 'test-1'])
  }
  for (const { headers } of others) assert.deepEqual([headers['dezky-digest'], headers['if-none-match']], [digest, `"${digest}"`])
  const stream = server.requests.find(({ path }) => path.endsWith('stream'))
  assert.deepEqual([stream.headers['dezky-digest'], stream.headers.accept], [digest, 'text/event-stream'])
  client.close()
})

test('each instance has another random name', async () => {
  const server = await serve()
  await Promise.all([connect(server), connect(server)])
  const names = new Set(server.requests.map(({ headers }) => headers['dezky-instance']))
  assert.equal(names.size, 2)
  for (const name of names) assert.match(name, /^node-[0-9a-f]{16}$/)
})

test('with a tenant the client follows its slice', async () => {
  const server = await serve()
  await connect(server, { tenant: 'acme' })
  await isStreaming(server)
  assert.deepEqual([...new Set(server.requests.map(({ path }) => path))], ['/flags/slice?tenant=acme', '/flags/slice/stream?tenant=acme'])
})

test('a change arrives by the stream, is emitted with its keys, and confirmed at once', async () => {
  const server = await serve({ revision: 1, keys: ['a', 'b'] })
  const client = await connect(server, { timing: { spacing: 400 } })
  const events = listen(client)
  await isStreaming(server)
  await until(() => server.snapshots.length === 2)
  const before = client.ruleset
  const flags = before.forTenant(tenant)
  server.publish(2, ['b', 'c'])
  await until(() => events.length === 2)
  assert.deepEqual(events, [['ready', { revision: 1 }], ['change', { revision: 2, keys: ['a', 'c'] }]])
  assert.deepEqual([client.isEnabled('a', tenant), client.isEnabled('c', tenant)], [false, true])
  // A ruleset that a caller keeps does not change, and neither do its explanations.
  assert.deepEqual([before.isEnabled('a', tenant), flags.explain('a').reason, before.revision], [true, 'on', 1])
  await until(() => server.snapshots.length === 4)
  await wait(600)
  const [, , fetched, confirmed] = server.snapshots
  const [old, now] = [snapshotOf(1, ['a', 'b']), server.text].map(digestOf)
  assert.deepEqual([fetched.headers['dezky-digest'], fetched.headers['if-none-match']], [old, `"${old}"`])
  assert.deepEqual([confirmed.headers['dezky-digest'], confirmed.headers['if-none-match']], [now, `"${now}"`])
  assert.equal(server.snapshots.length, 4)
  assert.ok(confirmed.at - fetched.at < 350, 'the confirmation does not wait for the spacing')
})

test('a new revision with the same flags is accepted without a change event', async () => {
  const server = await serve({ revision: 1 })
  const client = await connect(server)
  const events = listen(client)
  await isStreaming(server)
  server.publish(2, ['a'])
  await until(() => client.ruleset.revision === 2)
  server.publish(2, ['b'])
  await until(() => client.ruleset.keys[0] === 'b')
  assert.deepEqual(events, [['ready', { revision: 1 }], ['change', { revision: 2, keys: ['a', 'b'] }]])
})

test('an announcement of the rules in use causes no request', async () => {
  const server = await serve()
  await connect(server)
  await isStreaming(server)
  await until(() => server.snapshots.length === 2)
  for (let times = 0; times < 5; times++) server.announce()
  server.announce(': a comment\r\n\r\nevent: other\ndata: {}\n\nid: 7\n\ndata: {"digest":"none"}\n\n')
  await wait(100)
  assert.equal(server.snapshots.length, 2)
})

test('events are read in any pieces and with any line end', async () => {
  const server = await serve()
  const client = await connect(server)
  await isStreaming(server)
  for (const [revision, end] of [[2, '\n'], [3, '\r\n'], [4, '\r']]) {
    server.publish(revision, ['a'], { quietly: true })
    for (const piece of server.event().replaceAll('\n', end)) {
      server.announce(piece)
      await wait(0)
    }
    server.announce(':')
    await until(() => client.ruleset.revision === revision)
  }
})

test('a burst of changes causes one fetch at once and one after it', async () => {
  const { server, client } = await follow()
  await wait(60)
  for (let revision = 2; revision <= 40; revision++) server.publish(revision, ['a'])
  await until(() => client.ruleset.revision === 40)
  await wait(150)
  const { length } = server.snapshots
  assert.ok(length >= 4 && length <= 6, `${length} requests`)
})

test('fetches never overlap, and a change during one is fetched after it', async () => {
  const { server, client } = await follow()
  const before = server.text
  server.next.push((response) => setTimeout(() => response.writeHead(304).end(), 150))
  server.publish(2, ['b'])
  await until(() => server.snapshots.length === 3)
  server.publish(3, ['c'])
  await wait(50)
  assert.equal(server.snapshots.length, 3)
  await until(() => client.ruleset.revision === 3)
  assert.notEqual(before, server.text)
})

/** A backoff that is longer than any test waits. */
const longBackoff = { maxBackoff: 60_000, timing: { minBackoff: 60_000 } }

/** A late response: meanwhile another snapshot is published and announced. */
const overtaken = (server, revision, respond) => (response, text) => {
  server.publish(revision, ['late'])
  setTimeout(() => respond(response, text), 80)
}

test('a change during a second swap in a row is fetched at once', async () => {
  const { server, client } = await follow(longBackoff)
  server.next.push((response, text) => {
    response.end(text)
    server.publish(3, ['c'], { quietly: true })
  }, overtaken(server, 4, (response, text) => response.end(text)))
  server.publish(2, ['b'])
  await until(() => client.ruleset.revision === 4)
  await until(() => server.snapshots.at(-1).headers['dezky-digest'] === server.digest)
})

test('a change during a fetch that fails is fetched at once', async () => {
  const { server, client } = await follow(longBackoff)
  server.next.push(overtaken(server, 3, (response) => response.writeHead(500).end()))
  server.publish(2, ['b'])
  await until(() => client.ruleset.revision === 3)
})

test('the end of a burst is confirmed at once', async () => {
  const { server, client } = await follow(longBackoff)
  for (let revision = 2; revision <= 20; revision++) {
    server.publish(revision, [`flag-${revision}`])
    await until(() => client.ruleset.revision === revision)
  }
  await until(() => server.snapshots.at(-1).headers['dezky-digest'] === server.digest)
})

test('polling finds a change that the stream did not announce', async () => {
  const server = await serve({ revision: 1 })
  const client = await connect(server, { timing: { pollInterval: 50 } })
  await isStreaming(server)
  server.publish(2, ['b'], { quietly: true })
  await until(() => client.ruleset.revision === 2)
})

test('a key function is called for each request', async () => {
  const server = await serve()
  let calls = 0
  await connect(server, { key: async () => `key-${++calls}` })
  await isStreaming(server)
  await until(() => server.requests.length === 3)
  assert.deepEqual(server.requests.map(({ headers }) => headers.authorization).sort(), ['Bearer key-1', 'Bearer key-2', 'Bearer key-3'])
})

test('a handler that throws or rejects is logged and does not affect others', async (context) => {
  const logged = context.mock.method(console, 'error', () => {})
  const server = await serve({ revision: 1 })
  const client = await connect(server)
  client.on('change', () => assert.fail('thrown'))
  client.on('change', async () => assert.fail('rejected'))
  const remove = client.on('change', () => assert.fail('removed'))
  const events = listen(client)
  remove()
  remove()
  await isStreaming(server)
  server.publish(2, ['b'])
  await until(() => namesOf(events).includes('change'))
  server.publish(3, ['c'])
  await until(() => namesOf(events).filter((name) => name === 'change').length === 2)
  await wait(0)
  assert.deepEqual(logged.mock.calls.map(({ arguments: [, error] }) => error.message).sort(), ['rejected', 'rejected', 'thrown', 'thrown'])
})

test('events are delivered in order, and none after close', async () => {
  const server = await serve({ revision: 1 })
  const client = await connect(server)
  const received = []
  client.on('ready', () => {
    received.push('ready 1')
    client.close()
  })
  client.on('ready', () => received.push('after close'))
  await wait(20)
  assert.deepEqual([received, client.status, client.isEnabled('a', tenant)], [['ready 1'], 'closed', true])
})

test('unknown events and malformed handlers are rejected', async () => {
  const client = await connect(await serve())
  for (const [name, handler, path] of [['changed', () => {}, '/event'], ['toString', () => {}, '/event'], ['change', undefined, '/handler']]) {
    const { code, path: at } = await rejectionOf(async () => client.on(name, handler))
    assert.deepEqual([code, at], ['invalid_option', path])
  }
})
