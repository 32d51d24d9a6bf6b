// The provider in the OpenFeature SDK that OPENFEATURE_SDK names, for web or server.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { acme, packageName, problemsOf, sdk, snapshot } from './sdk.mjs'

const { OpenFeature, ProviderEvents } = await import(process.env.OPENFEATURE_SDK)
const { DezkyProvider } = await import(`${packageName}/openfeature`)
const isWeb = process.env.OPENFEATURE_SDK.includes('web')
const context = { targetingKey: 't1', tenantSlug: 'acme', plan: 'business', partnerSlug: 'nordic' }

async function start(document = snapshot) {
  const provider = new DezkyProvider(document)
  await OpenFeature.setProviderAndWait(provider)
  return { provider, client: OpenFeature.getClient() }
}

async function evaluate(client, key, evaluated = context, method = 'getBooleanDetails', fallback = false) {
  if (isWeb) await OpenFeature.setContext(evaluated)
  return client[method](key, fallback, ...(isWeb ? [] : [evaluated]))
}

test('every reason maps to an OpenFeature reason', async () => {
  const { client } = await start()
  const set = { version: 'rev-481', flagSetId: 'production', contextId: 't1' }
  const position = sdk.rolloutPosition('t1', 'half') / 100
  const expected = {
    nobody: [false, 'DISABLED', 'off', set],
    everyone: [true, 'STATIC', 'on', set],
    jmap_native_v2: [true, 'TARGETING_MATCH', 'on', set],
    whom: [false, 'DEFAULT', 'off', set],
    staging_only: [false, 'DEFAULT', 'off', { ...set, missedAxis: 'environments' }],
    half: [false, 'SPLIT', 'off', { ...set, bucket: position, pct: 50.5 }],
  }
  for (const [key, [value, reason, variant, flagMetadata]] of Object.entries(expected))
    assert.deepEqual(await evaluate(client, key), { flagKey: key, value, reason, variant, flagMetadata })
  const all = await start({ ...snapshot, flags: [{ key: 'half', state: 'rollout', pct: 100 }] })
  const inside = await evaluate(all.client, 'half')
  assert.deepEqual([inside.value, inside.reason, inside.variant], [true, 'SPLIT', 'on'])
})

test('the evaluation context is the tenant', async () => {
  const { client } = await start()
  assert.equal((await evaluate(client, 'staging_only', { ...context, environment: 'staging' })).value, true)
  assert.equal((await evaluate(client, 'jmap_native_v2', { ...context, partnerSlug: undefined })).flagMetadata.missedAxis, 'partnerSlugs')
  assert.equal((await evaluate(client, 'jmap_native_v2', { ...context, user: { any: 1 }, at: new Date() })).value, true)
})

test('failures return the fallback value with an error code', async () => {
  const { client } = await start()
  const failed = async (...parts) => {
    const { value, reason, errorCode, errorMessage, variant } = await evaluate(client, ...parts)
    assert.equal(variant, undefined)
    assert.ok(errorMessage)
    return [value, reason, errorCode, errorMessage]
  }
  const codeOf = async (...parts) => (await failed(...parts)).slice(0, 3)
  assert.deepEqual(await codeOf('none', context, 'getBooleanDetails', true), [true, 'ERROR', 'FLAG_NOT_FOUND'])
  for (const targetingKey of [undefined, ''])
    assert.deepEqual(await codeOf('everyone', { ...context, targetingKey }), [false, 'ERROR', 'TARGETING_KEY_MISSING'])
  const malformed = await failed('everyone', { ...context, targetingKey: 'a b', plan: 7 })
  assert.deepEqual(malformed.slice(0, 3), [false, 'ERROR', 'INVALID_CONTEXT'])
  assert.match(malformed[3], /^invalid_id at "\/targetingKey": .*; wrong_type at "\/plan": /)
  assert.deepEqual(await codeOf('everyone', { ...context, plan: new Date() }), [false, 'ERROR', 'INVALID_CONTEXT'])
  assert.deepEqual(await codeOf('everyone', context, 'getStringDetails', 'x'), ['x', 'ERROR', 'TYPE_MISMATCH'])
  assert.deepEqual(await codeOf('everyone', context, 'getNumberDetails', 7), [7, 'ERROR', 'TYPE_MISMATCH'])
  assert.deepEqual(await codeOf('everyone', context, 'getObjectDetails', { a: 1 }), [{ a: 1 }, 'ERROR', 'TYPE_MISMATCH'])
})

test('replacing the snapshot emits the changed flags once', async () => {
  const { provider, client } = await start()
  const events = []
  client.addHandler(ProviderEvents.ConfigurationChanged, ({ flagsChanged }) => events.push(flagsChanged))
  const flags = [{ key: 'everyone', state: 'off' }, ...snapshot.flags.slice(1), { key: 'zebra', state: 'on' }]
  const newer = { ...snapshot, revision: 482, flags }
  provider.replace(newer)
  provider.replace(JSON.stringify(newer))
  await turn()
  assert.deepEqual(events, [['everyone', 'zebra']])
  assert.equal((await evaluate(client, 'zebra')).flagMetadata.version, 'rev-482')
  assert.equal(provider.rules.revision, 482)
  assert.deepEqual(problemsOf(() => provider.replace('{')), ['invalid_json '])
  assert.equal((await evaluate(client, 'everyone')).reason, 'DISABLED')
  assert.deepEqual(problemsOf(() => new DezkyProvider({ ...snapshot, format: 2 })), ['unknown_format /format'])
})

test('the ready event is emitted once', async () => {
  const provider = new DezkyProvider(snapshot)
  let fromProvider = 0
  provider.events.addHandler(ProviderEvents.Ready, () => fromProvider++)
  let fromSdk = 0
  const client = OpenFeature.getClient('another')
  await turn()
  const handler = () => fromSdk++
  await OpenFeature.setProviderAndWait('another', provider)
  await turn()
  client.addHandler(ProviderEvents.Ready, handler)
  await turn()
  assert.deepEqual([fromProvider, fromSdk], [1, 1])
  assert.equal(client.providerStatus, 'READY')
  assert.equal(provider.metadata.name, 'dezky')
  assert.equal(provider.runsOn, isWeb ? 'client' : 'server')
})

test('the provider shares its classes with the package', () => {
  assert.ok(new DezkyProvider(snapshot).rules instanceof sdk.Ruleset)
  assert.equal(new DezkyProvider(snapshot).rules.isEnabled('jmap_native_v2', acme), true)
})
