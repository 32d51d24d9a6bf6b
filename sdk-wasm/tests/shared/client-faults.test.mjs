// The live client against failures of the server and of the network.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { faults, startServer } from './faulty.mjs'
import { connect, follow, isStreaming, listen, namesOf, serve, tenant, until } from './following.mjs'

const kinds = {
  'a reset': [faults.reset, 'unreachable'],
  'a missing response': [faults.hang, 'unreachable'],
  'a truncated body': [faults.truncate, 'unreachable'],
  'a shortened body': [faults.cut, 'bad_snapshot'],
  'a corrupted body': [faults.corrupt, 'digest_mismatch'],
  'a response without a digest': [faults.untagged, 'digest_mismatch'],
  'a body that is not a snapshot': [faults.malformed, 'bad_snapshot'],
  'a 304 with another digest': [faults.wrongUnchanged, 'digest_mismatch'],
  'a 500': [faults.status(500), 'unexpected_status'],
  'a 404': [faults.status(404), 'unexpected_status'],
  'a 204': [faults.status(204), 'unexpected_status'],
  'a 429': [faults.status(429), 'rate_limited'],
}
for (const [name, [fault, code]] of Object.entries(kinds)) {
  test(`${name} is reported once, the rules stay, and the next response is accepted`, async () => {
    const { server, client, events } = await follow({ timing: { requestTimeout: fault === faults.hang ? 300 : 2_000 } })
    const before = server.snapshots.length
    server.next.push(fault, fault)
    server.publish(2, ['b'])
    await until(() => server.snapshots.length > before)
    assert.equal(client.ruleset.revision, 1)
    await until(() => client.ruleset.revision === 2)
    assert.deepEqual(namesOf(events), ['ready', code, 'change'])
    const [, { message, fatal }] = events[1]
    assert.ok(message && !message.includes('dzk_') && fatal === false)
    // After a success the same problem is reported again.
    server.next.push(fault)
    server.publish(3, ['c'])
    await until(() => client.ruleset.revision === 3)
    assert.deepEqual(namesOf(events).slice(3), [code, 'change'])
  })
}

test('the client waits for slow responses', async () => {
  const { server, client, events } = await follow()
  for (const [revision, fault] of [[2, faults.slow], [3, faults.trickle]]) {
    server.next.push(fault)
    server.publish(revision, [`flag-${revision}`])
    await until(() => client.ruleset.revision === revision)
  }
  assert.deepEqual(namesOf(events), ['ready', 'change', 'change'])
})

test('a problem is reported when its code changes', async () => {
  const { server, events } = await follow()
  server.next.push(...[500, 502, 429, 429, 503].map((status) => faults.status(status)))
  server.publish(2, ['b'])
  await until(() => namesOf(events).includes('change'))
  assert.deepEqual(namesOf(events), ['ready', 'unexpected_status', 'rate_limited', 'unexpected_status', 'change'])
})

for (const status of [429, 503]) {
  test(`after a ${status} the client waits for retry-after`, async () => {
    const { server, client } = await follow()
    const before = server.snapshots.length
    server.next.push(faults.status(status, { 'retry-after': '1' }))
    server.publish(2, ['b'])
    await wait(300)
    // An announcement does not shorten the wait.
    server.publish(3, ['c'])
    await until(() => client.ruleset.revision === 3)
    const [refused, again] = server.snapshots.slice(before)
    assert.ok(again.at - refused.at >= 990, `${again.at - refused.at} ms`)
  })
}

test('redirects are not followed, so the key is sent to no other server', async () => {
  const elsewhere = await serve()
  const { server, client, events } = await follow()
  for (const status of [301, 302, 307, 308]) {
    const location = { location: `${elsewhere.url}/flags/snapshot` }
    server.next.push(faults.status(status, location))
    server.nextStream.push(faults.status(status, location))
  }
  server.publish(2, ['b'])
  server.endStreams()
  await until(() => client.ruleset.revision === 2 && server.streams.size === 1)
  assert.deepEqual(elsewhere.requests, [])
  assert.deepEqual([...new Set(namesOf(events))], ['ready', 'unexpected_status', 'change'])
})

const refuse = (server, status) => (server.always = server.alwaysStream = status && faults.status(status))

for (const status of [401, 403]) {
  test(`a ${status} is reported once, the last rules stay, and the client recovers`, async () => {
    const { server, client, events } = await follow()
    refuse(server, status)
    server.endStreams()
    await until(() => client.status === 'refused')
    const { length } = server.requests
    await until(() => server.requests.length > length + 8)
    assert.deepEqual([client.status, namesOf(events)], ['refused', ['ready', 'key_refused']])
    const [, { message, fatal, serverCode }] = events[1]
    assert.deepEqual([message, fatal, serverCode], [`the server refuses the key: ${status} nothing`, false, 'nothing'])
    assert.deepEqual([client.isEnabled('a', tenant), client.ruleset.revision], [true, 1])
    server.publish(2, ['b'], { quietly: true })
    refuse(server)
    await until(() => namesOf(events).includes('change'))
    assert.deepEqual(events.slice(2), [['ready', { revision: 2 }], ['change', { revision: 2, keys: ['a', 'b'] }]])
    assert.equal(client.status, 'ready')
    await isStreaming(server)
    server.publish(3, ['c'])
    await until(() => client.ruleset.revision === 3)
  })

  test(`a ${status} of the stream alone does not stop the fetches`, async () => {
    const { server, client, events } = await follow()
    server.alwaysStream = faults.status(status)
    server.endStreams()
    await until(() => namesOf(events).includes('key_refused'))
    server.publish(2, ['b'])
    await until(() => namesOf(events).includes('change'))
    assert.deepEqual([client.status, namesOf(events)], ['ready', ['ready', 'key_refused', 'change']])
    server.alwaysStream = undefined
    await isStreaming(server)
  })
}

test('the backoff of a refused key grows to twice the limit', async () => {
  const { server, client } = await follow({ maxBackoff: 400 })
  const before = server.snapshots.length
  refuse(server, 401)
  server.endStreams()
  await until(() => client.status === 'refused')
  await wait(4_000)
  const times = server.snapshots.slice(before).map(({ at }) => at)
  const gaps = times.slice(1).map((at, index) => at - times[index])
  const longest = Math.max(...gaps)
  assert.ok(longest > 400 && longest < 1_100 && gaps.length < 25, `${gaps}`)
})

test('a refusal without a valid code is a refusal', async () => {
  for (const body of ['', 'null', '<html>', '{"code":7}', '{"code":"a b"}', `{"code":"${'a'.repeat(65)}"}`, ' '.repeat(20_000)]) {
    const { server, client, events } = await follow()
    server.always = (response) => response.writeHead(403).end(body)
    server.announce('event: revision\ndata: {}\n\n')
    await until(() => client.status === 'refused' && events.length === 2)
    assert.deepEqual(events[1][1], { code: 'key_refused', message: 'the server refuses the key: 403', fatal: false })
    client.close()
  }
})

test('an older revision is rejected and reported once, and the rules become stale', async () => {
  const { server, client, events } = await follow({ staleAfter: 500, timing: { pollInterval: 60 } }, { revision: 10 })
  server.publish(9, ['b'])
  await until(() => namesOf(events).includes('stale'))
  assert.deepEqual([client.ruleset.revision, client.status], [10, 'stale'])
  assert.deepEqual(namesOf(events), ['ready', 'older_revision', 'stale'])
  server.publish(11, ['c'])
  await until(() => client.ruleset.revision === 11)
  assert.deepEqual(events.slice(3), [['ready', { revision: 11 }], ['change', { revision: 11, keys: ['a', 'c'] }]])
  server.publish(10, ['b'])
  await until(() => events.length === 6)
  assert.equal(events[5][1].code, 'older_revision')
})

test('another history may have lower revisions', async () => {
  const { server, client, events } = await follow({}, { revision: 10 })
  server.history = 'second'
  server.publish(3, ['b'])
  await until(() => client.ruleset.revision === 3)
  server.publish(2, ['c'])
  await until(() => namesOf(events).includes('older_revision'))
  assert.equal(client.ruleset.revision, 3)
})

test('the client fetches before each reconnect of the stream', async () => {
  const { server, client } = await follow()
  for (let revision = 2; revision < 6; revision++) {
    server.publish(revision, [`flag-${revision}`], { quietly: true })
    server.endStreams()
    await until(() => client.ruleset.revision === revision)
    await isStreaming(server)
  }
})

test('a silent stream is closed', async () => {
  const { server, client } = await follow({ timing: { silence: 400 } })
  const [first] = server.streams
  const heartbeats = setInterval(() => server.announce(':\n\n'), 50)
  try {
    await wait(1_200)
    assert.ok(server.streams.size === 1 && server.streams.has(first), 'heartbeats keep the stream open')
  } finally {
    clearInterval(heartbeats)
  }
  server.publish(2, ['b'], { quietly: true })
  await until(() => client.ruleset.revision === 2)
  await until(() => server.streams.size === 1 && !server.streams.has(first))
})

test('the client polls where streams do not work', async () => {
  for (const fault of [faults.status(404), faults.hang, faults.reset, faults.status(200, { 'content-type': 'text/html' })]) {
    const server = await serve()
    server.alwaysStream = fault
    const client = await connect(server, { timing: { requestTimeout: fault === faults.hang ? 300 : 2_000 } })
    const events = listen(client)
    server.publish(2, ['b'])
    await until(() => client.ruleset.revision === 2)
    server.publish(3, ['c'])
    await until(() => client.ruleset.revision === 3)
    const codes = () => namesOf(events).filter((name) => !['ready', 'change'].includes(name))
    await until(() => codes().length)
    await wait(400)
    assert.equal(codes().length, 1, 'the problem of the stream is reported once')
    client.close()
  }
})

test('malformed and oversized events do not stop the client', async () => {
  const { server, client } = await follow()
  server.announce(`event: revision\ndata: {"digest":\n\nevent: revision\ndata: null\n\nevent: revision\ndata: []\n\n`)
  server.announce(`data: ${'x'.repeat(70_000)}`)
  await wait(50)
  server.publish(2, ['b'])
  await until(() => client.ruleset.revision === 2)
  await isStreaming(server)
})

test('servers that contradict each other cause no endless loop', async () => {
  const { server, client } = await follow({ maxBackoff: 200, timing: { minBackoff: 50 } })
  let turn = 0
  server.always = (response) => {
    server.publish(2, [`flag-${turn++ % 2}`], { quietly: true })
    response.setHeader('etag', `"${server.digest}"`).writeHead(200).end(server.text)
  }
  server.announce('event: revision\ndata: {}\n\n')
  await wait(1_000)
  assert.ok(turn > 2 && turn < 40, `${turn} requests`)
  assert.equal(client.ruleset.revision, 2)
})

test('the client recovers within the backoff after a server outage', async () => {
  const { server, client, events } = await follow({ staleAfter: 500, timing: { pollInterval: 60 } })
  await server.close()
  await until(() => client.status === 'stale')
  assert.equal(client.isEnabled('a', tenant), true)
  const [, { age }] = events.find(([name]) => name === 'stale')
  assert.ok(age >= 490 && age < 4_000, `${age} ms`)
  const again = await startServer({ port: server.port, revision: 2, keys: ['b'] })
  try {
    const began = performance.now()
    await until(() => client.ruleset.revision === 2)
    assert.ok(performance.now() - began < 1_000)
    assert.equal(client.status, 'ready')
    assert.deepEqual(namesOf(events), ['ready', 'unreachable', 'stale', 'ready', 'change'])
  } finally {
    client.close()
    await again.close()
  }
})

test('a body above the size limit is not read to its end', async () => {
  const { server, client, events } = await follow({ timing: { requestTimeout: 20_000 } })
  server.next.push((response) => {
    response.writeHead(200)
    const piece = Buffer.alloc(1 << 20, ' ')
    const more = () => response.destroyed || (response.write(piece) ? setImmediate(more) : response.once('drain', more))
    more()
  })
  server.publish(2, ['b'])
  await until(() => client.ruleset.revision === 2, 20_000)
  assert.deepEqual(namesOf(events), ['ready', 'bad_snapshot', 'change'])
})
