// The OpenFeature provider over a live client, through the OpenFeature SDK.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { faults } from './faulty.mjs'
import { connect, serve, until } from './following.mjs'
import { packageName, problemsOf } from './sdk.mjs'

const { OpenFeature, ProviderEvents } = await import(process.env.OPENFEATURE_SDK)
const { DezkyProvider } = await import(`${packageName}/openfeature`)
const isWeb = process.env.OPENFEATURE_SDK.includes('web')
const context = { targetingKey: 't1', tenantSlug: 'acme', plan: 'business' }
if (isWeb) await OpenFeature.setContext(context)
after(() => OpenFeature.close())

let domains = 0
/**
 * Starts a live client, its provider and OpenFeature's client, and collects the provider's events.
 */
async function start(options) {
  const server = await serve({ revision: 1 })
  const live = await connect(server, options)
  await until(() => server.streams.size)
  return { server, live, ...(await provide(live)) }
}

async function provide(live) {
  const domain = `domain-${++domains}`
  const provider = new DezkyProvider(live)
  const client = OpenFeature.getClient(domain)
  const received = []
  for (const name of ['Ready', 'Stale', 'Error', 'ConfigurationChanged'])
    client.addHandler(ProviderEvents[name], (event) => received.push([name, event?.flagsChanged ?? event?.errorCode]))
  await OpenFeature.setProviderAndWait(domain, provider)
  await wait(20)
  received.length = 0
  const evaluate = async (key) => (isWeb ? client.getBooleanDetails(key, false) : await client.getBooleanDetails(key, false, context))
  return { domain, provider, client, received, evaluate }
}

test('a change is emitted with its flags, and evaluated', async () => {
  const { server, live, provider, client, received, evaluate } = await start()
  assert.equal(client.providerStatus, 'READY')
  assert.equal((await evaluate('a')).value, true)
  assert.equal((await evaluate('b')).errorCode, 'FLAG_NOT_FOUND')
  server.publish(2, ['b'])
  await until(() => received.length)
  assert.deepEqual(received, [['ConfigurationChanged', ['a', 'b']]])
  const { value, reason, flagMetadata } = await evaluate('b')
  assert.deepEqual([value, reason, flagMetadata.version], [true, 'STATIC', 'rev-2'])
  assert.equal(provider.rules, live.ruleset)
  assert.deepEqual(problemsOf(() => provider.replace('{}')), ['invalid_option /snapshot'])
})

test('a stale client is reported, evaluates on, and becomes ready again', async () => {
  const { server, client, received, evaluate } = await start({ staleAfter: 500, timing: { pollInterval: 60 } })
  server.always = faults.status(500)
  await until(() => received.length)
  assert.deepEqual([received, client.providerStatus], [[['Stale', undefined]], 'STALE'])
  assert.equal((await evaluate('a')).value, true)
  server.always = undefined
  await until(() => received.length === 2)
  assert.deepEqual([received[1][0], client.providerStatus], ['Ready', 'READY'])
})

test('a refused key is an error until it is accepted, and other problems are not reported', async () => {
  const { server, client, received, evaluate } = await start()
  server.next.push(faults.status(500), faults.malformed)
  server.publish(2, ['b'])
  await until(() => received.length)
  assert.deepEqual(received, [['ConfigurationChanged', ['a', 'b']]])
  server.always = faults.status(401)
  server.publish(3, ['c'])
  await until(() => received.length === 2)
  assert.deepEqual([received[1], client.providerStatus], [['Error', 'GENERAL'], 'ERROR'])
  assert.equal((await evaluate('b')).value, true)
  server.always = undefined
  await until(() => received.length === 4)
  assert.deepEqual([received.slice(2), client.providerStatus], [[['Ready', undefined], ['ConfigurationChanged', ['b', 'c']]], 'READY'])
})

test('a provider over a stale client is ready first, and then stale', async () => {
  const server = await serve()
  server.always = faults.hang
  const live = await connect(server, { deadline: 50, pastDeadline: 'off', timing: { requestTimeout: 100 } })
  const { client, received } = await provide(live)
  assert.equal(client.providerStatus, 'STALE')
  server.always = undefined
  await until(() => received.length === 2)
  assert.deepEqual([received.map(([name]) => name), client.providerStatus], [['Ready', 'ConfigurationChanged'], 'READY'])
})

test('a provider over a refused client has an error, and one over a closed client fails', async () => {
  const { live, server } = await start()
  server.always = faults.status(403)
  server.publish(2, ['b'])
  await until(() => live.status === 'refused')
  const { client, evaluate } = await provide(live)
  assert.deepEqual([client.providerStatus, (await evaluate('a')).value], ['ERROR', true])
  live.close()
  await assert.rejects(OpenFeature.setProviderAndWait('closed', new DezkyProvider(live)), { code: 'PROVIDER_FATAL' })
})

test('a replaced provider emits no more events and does not close its client', async () => {
  const { domain, server, live, provider } = await start()
  let count = 0
  provider.events.addHandler(ProviderEvents.ConfigurationChanged, () => count++)
  await OpenFeature.setProviderAndWait(domain, new DezkyProvider(live))
  await wait(20)
  server.publish(2, ['b'])
  await until(() => live.ruleset.revision === 2)
  await wait(20)
  assert.deepEqual([count, live.status], [0, 'ready'])
})
