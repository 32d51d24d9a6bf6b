// A live client under the provider, through the real OpenFeature SDK: what happens to the client is told by the provider itself.
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
/** A live client, its provider, OpenFeature's client, and what that is told. */
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
  const told = []
  for (const name of ['Ready', 'Stale', 'Error', 'ConfigurationChanged'])
    client.addHandler(ProviderEvents[name], (event) => told.push([name, event?.flagsChanged ?? event?.errorCode]))
  await OpenFeature.setProviderAndWait(domain, provider)
  await wait(20)
  told.length = 0
  const ask = async (key) => (isWeb ? client.getBooleanDetails(key, false) : await client.getBooleanDetails(key, false, context))
  return { domain, provider, client, told, ask }
}

test('a flip is told with its flags, and answered', async () => {
  const { server, live, provider, client, told, ask } = await start()
  assert.equal(client.providerStatus, 'READY')
  assert.equal((await ask('a')).value, true)
  assert.equal((await ask('b')).errorCode, 'FLAG_NOT_FOUND')
  server.publish(2, ['b'])
  await until(() => told.length)
  assert.deepEqual(told, [['ConfigurationChanged', ['a', 'b']]])
  const { value, reason, flagMetadata } = await ask('b')
  assert.deepEqual([value, reason, flagMetadata.version], [true, 'STATIC', 'rev-2'])
  assert.equal(provider.rules, live.ruleset)
  assert.deepEqual(problemsOf(() => provider.replace('{}')), ['invalid_option /snapshot'])
})

test('stale is told, answered through, and ready again after', async () => {
  const { server, client, told, ask } = await start({ staleAfter: 500, timing: { pollInterval: 60 } })
  server.always = faults.status(500)
  await until(() => told.length)
  assert.deepEqual([told, client.providerStatus], [[['Stale', undefined]], 'STALE'])
  assert.equal((await ask('a')).value, true)
  server.always = undefined
  await until(() => told.length === 2)
  assert.deepEqual([told[1][0], client.providerStatus], ['Ready', 'READY'])
})

test('a problem that passes is told to nobody, a key that is refused is an error until it is accepted', async () => {
  const { server, client, told, ask } = await start()
  server.next.push(faults.status(500), faults.malformed)
  server.publish(2, ['b'])
  await until(() => told.length)
  assert.deepEqual(told, [['ConfigurationChanged', ['a', 'b']]])
  server.always = faults.status(401)
  server.publish(3, ['c'])
  await until(() => told.length === 2)
  assert.deepEqual([told[1], client.providerStatus], [['Error', 'GENERAL'], 'ERROR'])
  assert.equal((await ask('b')).value, true)
  server.always = undefined
  await until(() => told.length === 4)
  assert.deepEqual([told.slice(2), client.providerStatus], [[['Ready', undefined], ['ConfigurationChanged', ['b', 'c']]], 'READY'])
})

test('a client that is stale from the outset is ready, and stale', async () => {
  const server = await serve()
  server.always = faults.hang
  const live = await connect(server, { deadline: 50, pastDeadline: 'off', timing: { requestTimeout: 100 } })
  const { client, told } = await provide(live)
  assert.equal(client.providerStatus, 'STALE')
  server.always = undefined
  await until(() => told.length === 2)
  assert.deepEqual([told.map(([name]) => name), client.providerStatus], [['Ready', 'ConfigurationChanged'], 'READY'])
})

test('a client whose key is refused is a provider that has an error, one that is closed is none', async () => {
  const { live, server } = await start()
  server.always = faults.status(403)
  server.publish(2, ['b'])
  await until(() => live.status === 'refused')
  const { client, ask } = await provide(live)
  assert.deepEqual([client.providerStatus, (await ask('a')).value], ['ERROR', true])
  live.close()
  await assert.rejects(OpenFeature.setProviderAndWait('closed', new DezkyProvider(live)), { code: 'PROVIDER_FATAL' })
})

test('a provider that is replaced says no more, and leaves the client to whoever has it', async () => {
  const { domain, server, live, provider } = await start()
  let said = 0
  provider.events.addHandler(ProviderEvents.ConfigurationChanged, () => said++)
  await OpenFeature.setProviderAndWait(domain, new DezkyProvider(live))
  await wait(20)
  server.publish(2, ['b'])
  await until(() => live.ruleset.revision === 2)
  await wait(20)
  assert.deepEqual([said, live.status], [0, 'ready'])
})
