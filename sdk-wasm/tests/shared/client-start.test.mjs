// Starting a live client: deadlines, snapshots, files and options.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { digestOf, faults, snapshotOf, startServer } from './faulty.mjs'
import { rejectionOf, connect, listen, namesOf, serve, tenant, until } from './following.mjs'
import { sdk } from './sdk.mjs'

const folder = mkdtempSync(join(tmpdir(), 'dezky-client-'))
after(() => rmSync(folder, { recursive: true }))
let files = 0
const newFile = () => join(mkdtempSync(join(folder, 'of-')), `good-${++files}.json`)
const nowhere = { url: 'http://127.0.0.1:9' }

async function silentServer() {
  const server = await serve()
  server.always = faults.hang
  return server
}

test('connect fails at the deadline with the last problem as its cause', async () => {
  const began = performance.now()
  const late = await rejectionOf(async () => connect(await silentServer(), { deadline: 100 }))
  assert.ok(performance.now() - began < 5_000)
  assert.deepEqual([late.code, late.path, late.cause.code], ['deadline', '', 'unreachable'])
  const server = await serve()
  server.always = faults.status(500)
  assert.equal((await rejectionOf(() => connect(server, { deadline: 1_000 }))).cause.code, 'unexpected_status')
  assert.equal((await rejectionOf(() => connect(nowhere, { deadline: 1_000 }))).cause.code, 'unreachable')
  const { length } = server.requests
  await wait(100)
  assert.equal(server.requests.length, length, 'a client that failed to start sends no more requests')
})

test('a refused key ends connect at once', async () => {
  for (const status of [401, 403]) {
    const server = await serve()
    server.always = faults.status(status)
    const began = performance.now()
    const refused = await rejectionOf(() => connect(server))
    assert.ok(performance.now() - began < 2_000)
    assert.equal(refused.code, 'key_refused')
    assert.ok(!JSON.stringify(refused).includes('dzk_') && !refused.message.includes('dzk_'))
    assert.equal(server.requests.length, 1)
  }
})

test('connect waits for a server that is slow to start', async () => {
  const server = await serve()
  server.next.push(faults.status(503), faults.reset, faults.hang, faults.slow)
  const client = await connect(server, { timing: { requestTimeout: 300 } })
  assert.equal(client.status, 'ready')
})

test('with pastDeadline off, every flag is off until the server answers', async () => {
  const server = await silentServer()
  const client = await connect(server, { deadline: 50, pastDeadline: 'off', timing: { requestTimeout: 300 } })
  const events = listen(client)
  assert.deepEqual([client.status, client.ruleset.revision, client.ruleset.keys], ['stale', 0, []])
  assert.equal(client.isEnabled('a', tenant), false)
  await until(() => events.length)
  assert.equal(events[0][0], 'stale')
  server.always = undefined
  await until(() => client.isEnabled('a', tenant))
  assert.equal(server.requests[0].headers['dezky-digest'], undefined)
  await until(() => namesOf(events).includes('change'))
  assert.deepEqual(events.filter(([name]) => name !== 'error').slice(1), [['ready', { revision: 1 }], ['change', { revision: 1, keys: ['a'] }]])
})

test('with a snapshot connect does not wait for the server', async () => {
  const server = await silentServer()
  for (const snapshot of [snapshotOf(3, ['given']), Buffer.from(snapshotOf(3, ['given'])), JSON.parse(snapshotOf(3, ['given']))]) {
    const began = performance.now()
    const client = await connect(server, { snapshot, staleAfter: 100 })
    assert.ok(performance.now() - began < 300)
    const events = listen(client)
    assert.deepEqual([client.status, client.isEnabled('given', tenant)], ['ready', true])
    await until(() => client.status === 'stale')
    await until(() => namesOf(events).includes('stale'))
    assert.deepEqual(events[0], ['ready', { revision: 3 }])
    client.close()
  }
  server.always = undefined
  const client = await connect(server, { snapshot: snapshotOf(3, ['given']) })
  const events = listen(client)
  await until(() => namesOf(events).includes('change'))
  assert.deepEqual(events, [['ready', { revision: 3 }], ['change', { revision: 1, keys: ['a', 'given'] }]])
  assert.ok(server.requests.some(({ headers }) => headers['dezky-digest'] === digestOf(snapshotOf(3, ['given']))))
})

test('each accepted snapshot is written to the file, with its history, readable by its owner only', async () => {
  const [server, file] = [await serve({ revision: 1, history: 'first "one"' }), newFile()]
  const client = await connect(server, { file })
  const read = () => readFileSync(file, 'utf8')
  await until(() => readdirSync(join(file, '..')).join() === file.split('/').at(-1))
  assert.equal(read(), `${server.text.slice(0, -1)},"history":"first \\"one\\""}`)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  await until(() => server.streams.size === 1)
  for (let revision = 2; revision < 30; revision++) server.publish(revision, [`flag-${revision}`])
  await until(() => sdk.Ruleset.fromSnapshot(read()).revision === 29)
  assert.equal(sdk.Ruleset.fromSnapshot(read()).digest, client.ruleset.digest)
  await until(() => readdirSync(join(file, '..')).length === 1)
})

test('the client starts from the file when the server does not answer', async () => {
  const file = newFile()
  const first = await connect(await serve({ revision: 7 }), { file })
  await until(() => statSync(file, { throwIfNoEntry: false }))
  first.close()
  const hourAgo = new Date(Date.now() - 3_600_000)
  utimesSync(file, hourAgo, hourAgo)
  const client = await connect(nowhere, { file, deadline: 1_000 })
  const events = listen(client)
  assert.deepEqual([client.status, client.ruleset.revision, client.isEnabled('a', tenant)], ['stale', 7, true])
  await until(() => namesOf(events).includes('stale'))
  const [ready, [, { age }]] = events.filter(([name]) => name !== 'error')
  assert.deepEqual(ready, ['ready', { revision: 7 }])
  assert.ok(age > 3_590_000 && age < 3_700_000, `${age} ms`)
  assert.equal((await rejectionOf(() => connect(nowhere, { file, deadline: 50, pastDeadline: 'fail' }))).code, 'deadline')
  assert.equal((await rejectionOf(() => connect(nowhere, { file: newFile(), deadline: 50, pastDeadline: 'file' }))).code, 'deadline')
  const off = await connect(nowhere, { file, deadline: 500, pastDeadline: 'off' })
  assert.equal(off.isEnabled('a', tenant), false)
})

test('with a file connect does not wait for an unreachable server', async () => {
  const file = newFile()
  writeFileSync(file, snapshotOf(5, ['kept']))
  const [{ port }, began] = [await startServer().then(async (server) => (await server.close(), server)), performance.now()]
  const client = await connect({ url: `http://127.0.0.1:${port}` }, { file, deadline: 60_000 })
  assert.ok(performance.now() - began < 1_000)
  const events = listen(client)
  assert.deepEqual([client.status, client.ruleset.revision, client.isEnabled('kept', tenant)], ['stale', 5, true])
  await until(() => events.length === 3)
  assert.deepEqual(namesOf(events), ['unreachable', 'ready', 'stale'])
  // The client keeps retrying.
  const server = await startServer({ port, revision: 6 })
  await until(() => client.ruleset.revision === 6)
  client.close()
  await server.close()
})

test('with a file connect waits until the deadline for a failing server', async () => {
  const [server, file] = [await serve({ revision: 6 }), newFile()]
  writeFileSync(file, snapshotOf(5, ['kept']))
  server.always = faults.status(503)
  const began = performance.now()
  const client = await connect(server, { file, deadline: 200 })
  assert.deepEqual([client.ruleset.revision, performance.now() - began > 190], [5, true])
  client.close()
  server.always = undefined
  server.next.push(faults.status(503))
  assert.equal((await connect(server, { file })).ruleset.revision, 6)
})

test('with a refused key the client starts from the file or with every flag off, and recovers', async () => {
  const [server, file] = [await serve({ revision: 6 }), newFile()]
  writeFileSync(file, snapshotOf(5, ['kept']))
  server.always = faults.status(401)
  assert.equal((await rejectionOf(() => connect(server, { file, pastDeadline: 'fail' }))).code, 'key_refused')
  const began = performance.now()
  const kept = await connect(server, { file })
  const events = listen(kept)
  const off = await connect(server, { pastDeadline: 'off' })
  assert.ok(performance.now() - began < 4_000)
  assert.deepEqual([kept.status, kept.ruleset.revision, off.status, off.ruleset.revision], ['refused', 5, 'refused', 0])
  await until(() => events.length === 2)
  assert.deepEqual(namesOf(events), ['key_refused', 'ready'])
  server.always = undefined
  await until(() => kept.ruleset.revision === 6 && off.ruleset.revision === 6)
  assert.deepEqual([kept.status, off.status, namesOf(events).slice(2)], ['ready', 'ready', ['ready', 'change']])
})

test('plain http to another machine needs allowHttp', async () => {
  const snapshot = snapshotOf(1, ['given'])
  for (const url of ['http://flags.example', 'http://10.0.0.7:7070', 'http://[2001:db8::1]', 'http://localhost.example', 'http://127.example']) {
    const error = await rejectionOf(() => sdk.connect({ url, key: 'dzk_test', snapshot }))
    assert.deepEqual([error.code, error.path, error.message.includes('dzk_')], ['insecure_url', '/url', false], url)
    const client = await connect({ url }, { snapshot, allowHttp: true })
    assert.equal(client.isEnabled('given', tenant), true)
    client.close()
  }
  for (const host of ['127.0.0.1', '127.1.2.3', '[::1]', 'localhost', 'LOCALHOST', 'flags.localhost']) {
    const client = await connect({ url: `http://${host}:9` }, { snapshot })
    client.close()
  }
})

test('after a restart the request names the snapshot of the file', async () => {
  const [server, file] = [await serve({ revision: 7 }), newFile()]
  const first = await connect(server, { file })
  await until(() => statSync(file, { throwIfNoEntry: false }))
  await first.close()
  const before = server.snapshots.length
  const client = await connect(server, { file })
  assert.deepEqual([client.status, client.ruleset.revision], ['ready', 7])
  await until(() => server.snapshots.length === before + 2)
  const digest = digestOf(server.text)
  assert.deepEqual(server.snapshots.slice(before).map(({ headers }) => [headers['if-none-match'], headers['dezky-digest']]), [
    [`"${digest}"`, undefined], [`"${digest}"`, digest],
  ])
})

test('older revisions of the same history are rejected after a restart', async () => {
  const [server, file] = [await serve({ revision: 7 }), newFile()]
  const first = await connect(server, { file })
  await until(() => statSync(file, { throwIfNoEntry: false }))
  first.close()
  const older = await startServer({ revision: 6, keys: ['old'] })
  const refused = await rejectionOf(() => connect(older, { file, deadline: 1_000, pastDeadline: 'fail' }))
  assert.deepEqual([refused.code, refused.cause.code], ['deadline', 'older_revision'])
  const client = await connect(older, { file, deadline: 1_000 })
  const events = listen(client)
  await until(() => events.length === 3)
  assert.deepEqual([namesOf(events), client.isEnabled('a', tenant)], [['older_revision', 'ready', 'stale'], true])
  // A given snapshot without a history does not change that.
  const given = await connect(older, { file, snapshot: snapshotOf(9, ['given']) })
  const said = listen(given)
  await until(() => namesOf(said).includes('older_revision'))
  assert.equal(given.ruleset.revision, 9)
  older.history = 'second'
  await until(() => client.ruleset.revision === 6 && given.ruleset.revision === 6)
  for (const one of [client, given, older]) await one.close()
})

test('an unusable file is reported once and does not stop the client', async () => {
  const malformed = newFile()
  writeFileSync(malformed, '{"format":1,')
  const directory = newFile()
  mkdirSync(directory)
  const server = await serve({ revision: 1 })
  for (const file of [malformed, directory, join(folder, 'no/such/folder/good.json')]) {
    const client = await connect(server, { file })
    const events = listen(client)
    await until(() => namesOf(events).includes('file_unusable') && server.streams.size)
    assert.deepEqual([client.status, namesOf(events).sort()], ['ready', ['file_unusable', 'ready']])
    client.close()
  }
  await until(() => sdk.Ruleset.fromSnapshot(readFileSync(malformed)).revision === 1)
})

test('malformed options are reported with their path', async () => {
  const options = {
    '/url': [{ url: undefined }, { url: '/flags' }, { url: 'ftp://example.com' }, { url: 'http://name:word@example.com' }, { url: 7 }],
    '/key': [{ key: undefined }, { key: '' }, { key: 'a b' }, { key: 'a\nb' }, { key: 7 }],
    '/tenant': [{ tenant: '' }, { tenant: 'Acme' }, { tenant: 'a&b=c' }, { tenant: 7 }],
    '/snapshot': [{ snapshot: '{' }, { snapshot: { format: 2 } }, { snapshot: 7 }],
    '/file': [{ file: '' }, { file: 7 }],
    '/pastDeadline': [{ pastDeadline: 'on' }, { pastDeadline: null }],
    '/allowHttp': [{ allowHttp: 'true' }, { allowHttp: null }],
    '/instance': [{ instance: '' }, { instance: 'a b' }, { instance: 'a'.repeat(65) }, { instance: 7 }],
    '/deadline': [{ deadline: -1 }, { deadline: NaN }, { deadline: Infinity }, { deadline: '5' }],
    '/staleAfter': [{ staleAfter: 2 ** 31 }],
    '/maxBackoff': [{ maxBackoff: null }],
    '/timing': [{ timing: 7 }],
    '/timing/silence': [{ timing: { silence: -1 } }],
    '/past_deadline': [{ past_deadline: 'off' }],
    '/timing/any': [{ timing: { any: 1 } }],
  }
  for (const [path, cases] of Object.entries(options)) {
    for (const one of cases) {
      const error = await rejectionOf(() => sdk.connect({ url: 'http://127.0.0.1:9', key: 'k', ...one }))
      assert.deepEqual([error.code, error.path], ['invalid_option', path], JSON.stringify(one))
    }
  }
  const nearest = { past_deadline: 'pastDeadline', pastDedline: 'pastDeadline', URL: 'url', alowHttp: 'allowHttp', max_backoff: 'maxBackoff', something: undefined }
  for (const [name, known] of Object.entries(nearest)) {
    const { message } = await rejectionOf(() => sdk.connect({ url: 'http://127.0.0.1:9', key: 'k', [name]: 'off' }))
    assert.equal(message.includes(`did you mean \`${known}\`?`), known !== undefined, message)
  }
  for (const none of [undefined, null, 'http://127.0.0.1:9']) assert.equal((await rejectionOf(() => sdk.connect(none))).code, 'invalid_option')
})

test('a key function that fails or never returns means that the server is unreachable', async () => {
  const server = await serve()
  for (const key of [() => undefined, () => 'a\nb', () => assert.fail('no key today'), async () => assert.fail('no key today'), () => new Promise(() => {})]) {
    const error = await rejectionOf(() => connect(server, { key, deadline: 100, timing: { requestTimeout: 50 } }))
    assert.deepEqual([error.code, error.cause.code], ['deadline', 'unreachable'])
  }
  assert.deepEqual(server.requests, [])
})
