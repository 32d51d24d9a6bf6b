// Subjects by slug: cached, expired by population changes, returned without a server.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { faults } from './faulty.mjs'
import { rejectionOf, connect, isStreaming, listen, namesOf, serve, until } from './following.mjs'

const acme = (plan) => ({ tenantId: 't1', tenantSlug: 'acme', plan, partnerSlug: 'nordic' })

/** Starts a server with one tenant, and a client. */
async function start(options) {
  const server = Object.assign(await serve(), { population: 7 })
  server.subjects.acme = acme('business')
  const client = await connect(server, options)
  await isStreaming(server)
  return { server, client }
}

/** Moves the tenant to another plan and announces it on the stream. */
function move(server, plan, population) {
  server.subjects.acme = acme(plan)
  server.population = population
  server.announce()
}

const planOf = async (client) => (await client.subject('acme')).plan

/** Waits until the client returns the tenant with this plan. */
async function untilPlan(client, plan) {
  const end = performance.now() + 8_000
  while ((await planOf(client)) !== plan) {
    assert.ok(performance.now() < end, `timed out waiting for the plan ${plan}`)
    await wait(2)
  }
}

test('a subject is requested once and can be passed to forTenant', async () => {
  const { server, client } = await start()
  server.subjects.acme = { ...acme('business'), newer: { a: 1 } }
  for (let times = 0; times < 100; times++) {
    const subject = await client.subject('acme')
    assert.deepEqual(subject, acme('business'))
    assert.equal(client.forTenant(subject).isEnabled('a'), true)
  }
  assert.ok(Object.isFrozen(await client.subject('acme')))
  const [first, ...others] = server.subjectRequests
  assert.deepEqual([first.path, first.headers.authorization, others], ['/tenants/acme/subject', 'Bearer dzk_test', []])
})

test('a subject follows changes of its tenant', async () => {
  const { server, client } = await start()
  assert.equal(await planOf(client), 'business')
  const began = performance.now()
  move(server, 'free', 8)
  await untilPlan(client, 'free')
  assert.ok(performance.now() - began < 1_000)
  // A change of another tenant costs one conditional request.
  const { length } = server.snapshots
  move(server, 'free', 9)
  await until(() => void client.subject('acme') ?? server.subjectRequests.length === 3)
  assert.ok(server.subjectRequests.at(-1).headers['if-none-match'])
  await wait(50)
  await planOf(client)
  assert.deepEqual([server.subjectRequests.length, server.snapshots.length], [3, length])
})

test('without a stream polling finds population changes', async () => {
  const server = Object.assign(await serve(), { population: 7, alwaysStream: faults.status(404) })
  server.subjects.acme = acme('business')
  const client = await connect(server, { timing: { pollInterval: 50 } })
  assert.equal(await planOf(client), 'business')
  server.subjects.acme = acme('free')
  server.population = 8
  await untilPlan(client, 'free')
})

test('a slice expires its subject when its digest changes', async () => {
  const server = await serve()
  server.subjects.acme = acme('business')
  const client = await connect(server, { tenant: 'acme' })
  await isStreaming(server)
  assert.deepEqual([await planOf(client), await planOf(client), server.subjectRequests.length], ['business', 'business', 1])
  server.subjects.acme = acme('free')
  server.publish(2, ['b'])
  await untilPlan(client, 'free')
})

test('without the server the cached subject is returned at once', async () => {
  const { server, client } = await start()
  const events = listen(client)
  assert.equal(await planOf(client), 'business')
  // The server announces a change, and fails from then on.
  server.alwaysSubject = faults.status(503)
  move(server, 'free', 8)
  await until(() => void client.subject('acme') ?? server.subjectRequests.length === 2)
  await wait(50)
  // After a failure the client does not ask for a second.
  for (let times = 0; times < 100; times++) assert.equal(await planOf(client), 'business')
  assert.equal(server.subjectRequests.length, 2)
  server.alwaysSubject = undefined
  await untilPlan(client, 'free')
  // The server refuses every request.
  server.always = server.alwaysStream = server.alwaysSubject = faults.status(401)
  server.endStreams()
  await until(() => client.status === 'refused')
  const { length } = server.subjectRequests
  assert.deepEqual([await planOf(client), server.subjectRequests.length], ['free', length])
  assert.equal((await rejectionOf(() => client.subject('umbrella'))).code, 'key_refused')
  assert.ok(namesOf(events).includes('key_refused'))
  client.close()
  assert.equal(await planOf(client), 'free')
  assert.equal((await rejectionOf(() => client.subject('umbrella'))).code, 'unreachable')
})

test('a slow server does not delay a cached subject', async () => {
  const { server, client } = await start()
  assert.equal(await planOf(client), 'business')
  server.nextSubject.push((response, text) => setTimeout(() => response.end(text), 1_500))
  move(server, 'free', 8)
  await until(() => void client.subject('acme') ?? server.subjectRequests.length === 2)
  const began = performance.now()
  assert.equal(await planOf(client), 'business')
  assert.ok(performance.now() - began < 1_300)
  await untilPlan(client, 'free')
})

test('concurrent callers share one request, and at most eight requests run at once', async () => {
  const { server, client } = await start()
  const slugs = Array.from({ length: 40 }, (_, number) => `tenant-${number}`)
  for (const slug of slugs) server.subjects[slug] = { tenantId: slug, tenantSlug: slug, plan: 'free' }
  const pending = []
  server.alwaysSubject = (response, text) => pending.push(() => response.end(text))
  const subjects = Promise.all([...slugs, ...slugs].map((slug) => client.subject(slug)))
  await until(() => pending.length === 8)
  await wait(100)
  assert.equal(pending.length, 8)
  server.alwaysSubject = undefined
  for (const respond of pending) respond()
  assert.deepEqual((await subjects).map(({ tenantSlug }) => tenantSlug), [...slugs, ...slugs])
  assert.equal(server.subjectRequests.length, 40)
})

test('malformed and unknown slugs are errors', async () => {
  const { server, client } = await start()
  for (const slug of ['', 'Acme', 'a/b', 'a?b', '..', 'acme%2f', 'a'.repeat(64), 7, undefined, null]) {
    const { code, path } = await rejectionOf(() => client.subject(slug))
    assert.deepEqual([code, path], ['invalid_slug', '/slug'], `${slug}`)
  }
  assert.deepEqual(server.subjectRequests, [])
  const { code, path } = await rejectionOf(() => client.subject('nobody'))
  assert.deepEqual([code, path], ['unknown_tenant', '/slug'])
  for (const code of ['denied_tenant_terminated', 'denied_key_scope']) {
    server.nextSubject.push((response) => response.writeHead(403).end(`{"code":"${code}"}`))
    assert.equal((await rejectionOf(() => client.subject('nobody'))).code, 'unknown_tenant')
  }
  // A tenant that was deleted is not returned from the cache.
  assert.equal(await planOf(client), 'business')
  delete server.subjects.acme
  server.population = 8
  server.announce()
  let error
  while (!error) {
    await wait(2)
    await client.subject('acme').catch((thrown) => (error = thrown))
  }
  assert.equal(error.code, 'unknown_tenant')
  assert.equal((await rejectionOf(() => client.subject('acme'))).code, 'unknown_tenant')
})

test('a response that is not a subject is rejected', async () => {
  const { server, client } = await start()
  for (const body of ['', '[]', '{}', 'null', '{"tenantId":"t1","tenantSlug":"umbrella","plan":"business"}', '{"tenantId":"t1","tenantSlug":"acme","plan":"business","partnerSlug":7}']) {
    server.nextSubject.push((response) => response.end(body))
    assert.equal((await rejectionOf(() => client.subject('acme'))).code, 'unexpected_status', body)
  }
  server.subjects.acme = { ...acme('business'), partnerSlug: null }
  assert.deepEqual(await client.subject('acme'), { tenantId: 't1', tenantSlug: 'acme', plan: 'business' })
})

test('the cache drops its oldest subject', async () => {
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
