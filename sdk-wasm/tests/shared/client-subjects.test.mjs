// Subjects by slug: resolved, cached, asked for again when the population has moved, served without a server.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { faults } from './faulty.mjs'
import { codeOf, connect, isStreaming, listen, namesOf, serve, until } from './following.mjs'

const acme = (plan) => ({ tenantId: 't1', tenantSlug: 'acme', plan, partnerSlug: 'nordic' })

/** A server with one tenant, and a client that follows it. */
async function start(options) {
  const server = Object.assign(await serve(), { population: 7 })
  server.subjects.acme = acme('business')
  const client = await connect(server, options)
  await isStreaming(server)
  return { server, client }
}

/** Moves the tenant to another plan, and says so on the stream. */
function move(server, plan, population) {
  server.subjects.acme = acme(plan)
  server.population = population
  server.tell()
}

const planOf = async (client) => (await client.subject('acme')).plan

/** Waits until the tenant has a plan. */
async function follows(client, plan) {
  const end = performance.now() + 8_000
  while ((await planOf(client)) !== plan) {
    assert.ok(performance.now() < end, `the plan never was ${plan}`)
    await wait(2)
  }
}

test('it is resolved once, and is what forTenant takes', async () => {
  const { server, client } = await start()
  server.subjects.acme = { ...acme('business'), newer: { a: 1 } }
  for (let times = 0; times < 100; times++) {
    const subject = await client.subject('acme')
    assert.deepEqual(subject, acme('business'))
    assert.equal(client.forTenant(subject).isEnabled('a'), true)
  }
  assert.ok(Object.isFrozen(await client.subject('acme')))
  const [asked, ...others] = server.subjectRequests
  assert.deepEqual([asked.path, asked.headers.authorization, others], ['/tenants/acme/subject', 'Bearer dzk_test', []])
})

test('it follows changes', async () => {
  const { server, client } = await start()
  assert.equal(await planOf(client), 'business')
  const began = performance.now()
  move(server, 'free', 8)
  await follows(client, 'free')
  assert.ok(performance.now() - began < 1_000)
  // Another tenant's change costs a request that says so, and nothing else.
  const { length } = server.snapshots
  move(server, 'free', 9)
  await until(() => void client.subject('acme') ?? server.subjectRequests.length === 3)
  assert.ok(server.subjectRequests.at(-1).headers['if-none-match'])
  await wait(50)
  await planOf(client)
  assert.deepEqual([server.subjectRequests.length, server.snapshots.length], [3, length])
})

test('without a stream a check-in says that the population moved', async () => {
  const server = Object.assign(await serve(), { population: 7, alwaysStream: faults.status(404) })
  server.subjects.acme = acme('business')
  const client = await connect(server, { timing: { pollInterval: 50 } })
  assert.equal(await planOf(client), 'business')
  server.subjects.acme = acme('free')
  server.population = 8
  await follows(client, 'free')
})

test('a slice expires its subject when its digest moves', async () => {
  const server = await serve()
  server.subjects.acme = acme('business')
  const client = await connect(server, { tenant: 'acme' })
  await isStreaming(server)
  assert.deepEqual([await planOf(client), await planOf(client), server.subjectRequests.length], ['business', 'business', 1])
  server.subjects.acme = acme('free')
  server.publish(2, ['b'])
  await follows(client, 'free')
})

test('without the server the last known one is served at once', async () => {
  const { server, client } = await start()
  const events = listen(client)
  assert.equal(await planOf(client), 'business')
  // The server says that something has changed, and fails from then on.
  server.alwaysSubject = faults.status(503)
  move(server, 'free', 8)
  await until(() => void client.subject('acme') ?? server.subjectRequests.length === 2)
  await wait(50)
  // It is left alone for a second then.
  for (let times = 0; times < 100; times++) assert.equal(await planOf(client), 'business')
  assert.equal(server.subjectRequests.length, 2)
  server.alwaysSubject = undefined
  await follows(client, 'free')
  // It is away for everything.
  server.always = server.alwaysStream = server.alwaysSubject = faults.status(401)
  server.endStreams()
  await until(() => client.status === 'refused')
  const { length } = server.subjectRequests
  assert.deepEqual([await planOf(client), server.subjectRequests.length], ['free', length])
  assert.equal((await codeOf(() => client.subject('umbrella'))).code, 'key_refused')
  assert.ok(namesOf(events).includes('key_refused'))
  client.close()
  assert.equal(await planOf(client), 'free')
  assert.equal((await codeOf(() => client.subject('umbrella'))).code, 'unreachable')
})

test('a server that is slow holds up nobody who can be served', async () => {
  const { server, client } = await start()
  assert.equal(await planOf(client), 'business')
  server.nextSubject.push((response, text) => setTimeout(() => response.end(text), 1_500))
  move(server, 'free', 8)
  await until(() => void client.subject('acme') ?? server.subjectRequests.length === 2)
  const began = performance.now()
  assert.equal(await planOf(client), 'business')
  assert.ok(performance.now() - began < 1_300)
  await follows(client, 'free')
})

test('whoever asks at the same time shares a request, and not everything is asked for at once', async () => {
  const { server, client } = await start()
  const slugs = Array.from({ length: 40 }, (_, number) => `tenant-${number}`)
  for (const slug of slugs) server.subjects[slug] = { tenantId: slug, tenantSlug: slug, plan: 'free' }
  const held = []
  server.alwaysSubject = (response, text) => held.push(() => response.end(text))
  const asked = Promise.all([...slugs, ...slugs].map((slug) => client.subject(slug)))
  await until(() => held.length === 8)
  await wait(100)
  assert.equal(held.length, 8)
  server.alwaysSubject = undefined
  for (const answer of held) answer()
  assert.deepEqual((await asked).map(({ tenantSlug }) => tenantSlug), [...slugs, ...slugs])
  assert.equal(server.subjectRequests.length, 40)
})

test('what is no tenant is an error with a code', async () => {
  const { server, client } = await start()
  for (const slug of ['', 'Acme', 'a/b', 'a?b', '..', 'acme%2f', 'a'.repeat(64), 7, undefined, null]) {
    const { code, path } = await codeOf(() => client.subject(slug))
    assert.deepEqual([code, path], ['invalid_slug', '/slug'], `${slug}`)
  }
  assert.deepEqual(server.subjectRequests, [])
  const { code, path } = await codeOf(() => client.subject('nobody'))
  assert.deepEqual([code, path], ['unknown_tenant', '/slug'])
  for (const gone of ['denied_tenant_terminated', 'denied_key_scope']) {
    server.nextSubject.push((response) => response.writeHead(403).end(`{"code":"${gone}"}`))
    assert.equal((await codeOf(() => client.subject('nobody'))).code, 'unknown_tenant')
  }
  // A tenant that is gone is not served from memory.
  assert.equal(await planOf(client), 'business')
  delete server.subjects.acme
  server.population = 8
  server.tell()
  let error
  while (!error) {
    await wait(2)
    await client.subject('acme').catch((thrown) => (error = thrown))
  }
  assert.equal(error.code, 'unknown_tenant')
  assert.equal((await codeOf(() => client.subject('acme'))).code, 'unknown_tenant')
})

test('an answer that is no subject is not taken', async () => {
  const { server, client } = await start()
  for (const body of ['', '[]', '{}', 'null', '{"tenantId":"t1","tenantSlug":"umbrella","plan":"business"}', '{"tenantId":"t1","tenantSlug":"acme","plan":"business","partnerSlug":7}']) {
    server.nextSubject.push((response) => response.end(body))
    assert.equal((await codeOf(() => client.subject('acme'))).code, 'unexpected_status', body)
  }
  server.subjects.acme = { ...acme('business'), partnerSlug: null }
  assert.deepEqual(await client.subject('acme'), { tenantId: 't1', tenantSlug: 'acme', plan: 'business' })
})

test('the cache is bounded', async () => {
  const { server, client } = await start()
  const slugs = Array.from({ length: 4_200 }, (_, number) => `tenant-${number}`)
  for (const slug of slugs) server.subjects[slug] = { tenantId: slug, tenantSlug: slug, plan: 'free' }
  for (let at = 0; at < slugs.length; at += 100) await Promise.all(slugs.slice(at, at + 100).map((slug) => client.subject(slug)))
  const { length } = server.subjectRequests
  await client.subject('tenant-4199')
  assert.equal(server.subjectRequests.length, length)
  await client.subject('tenant-0')
  assert.equal(server.subjectRequests.length, length + 1)
})
