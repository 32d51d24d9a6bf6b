// Never run, only compiled: every operation with its types, and calls that must not compile.
import {
  can, changedKeys, type Client, type ClientCode, type ClientStatus, connect, type ConnectOptions, type Decision, DezkyError, engine, type Explanation, type Flags, init, initSync, type Ladder, type Plan, type Problem,
  type Results, rolloutPosition, Ruleset, type Snapshot, type Subject, type Tenant, validate, type Validation, World,
} from '@dezky/sdk-wasm'
import { connect as connectFlags, Ruleset as FlagsRuleset } from '@dezky/sdk-wasm/flags'
import { DezkyProvider } from '@dezky/sdk-wasm/openfeature'
import { type ReadResults, readResults } from '@dezky/sdk-wasm/results'

type FlagKey = 'jmap_native_v2' | 'new_portal'

export async function sample(bytes: Uint8Array, document: { readonly format: 1 }): Promise<void> {
  await init()
  await init('/flags.wasm', new URL('https://example.com/world.wasm'))
  await init(bytes, bytes.buffer)
  initSync(bytes)
  const name: 'native' | 'wasm' = engine

  const rules: Ruleset<FlagKey> = Ruleset.fromSnapshot<FlagKey>(document)
  const loose: Ruleset = FlagsRuleset.fromSnapshot(bytes)
  const tenant: Subject = { tenantId: 't1', tenantSlug: 'acme', plan: 'business', partnerSlug: null }
  const flags: Flags<FlagKey> = rules.forTenant(tenant)
  const on: boolean = flags.isEnabled('new_portal')
  const why: Explanation<FlagKey> = flags.explain('jmap_native_v2')
  const all: Record<FlagKey, boolean> = flags.all()
  const keys: FlagKey[] = flags.enabledKeys()
  const results: Results<FlagKey> = flags.toJSON()
  const read: ReadResults<FlagKey> = readResults(results)
  const strings: string[] = [rules.environment, rules.digest, rules.fingerprint([tenant]), ...rules.keys, ...changedKeys('{}', bytes)]
  const numbers: number[] = [rules.revision, rolloutPosition('t1', 'new_portal')]
  rules.isEnabled('new_portal', tenant)
  rules.free()
  loose.isEnabled('anything', '{}')

  const decision: Decision = can({ key: { kind: 'server' } }, 'snapshot.read')
  can({ subject: 'auth|7', audiences: ['dezky-portal'], user: null }, 'tenant.read', { tenantId: 't1' })

  const world: World = World.fromJson('{}')
  const plan: Plan = world.plan({ edits: [{ kind: 'moveTenant', tenantId: 't1', partnerSlug: null }] })
  const ladder: Ladder = world.ladder('new_portal')
  const { on: count }: { on: number } = world.counts('new_portal')
  world[Symbol.dispose]()

  const valid: Validation<Tenant> = validate.tenant({})
  if (valid.errors) valid.errors satisfies readonly Problem[]
  else valid.ok.slug satisfies string
  const canonical: Snapshot | undefined = validate.snapshot(bytes).ok

  const options: ConnectOptions = { url: 'https://flags.example.com', key: () => 'dzk_', tenant: 'acme', staleAfter: 60_000 }
  const client: Client<FlagKey> = await connect<FlagKey>(options)
  const looseClient: Client = await connectFlags(options)
  const remove: () => void = client.on('change', ({ keys }) => keys satisfies readonly FlagKey[])
  client.on('error', ({ code, fatal }) => [code satisfies ClientCode, fatal satisfies boolean])
  const status: ClientStatus = client.status
  client.ruleset satisfies Ruleset<FlagKey>
  client.forTenant(tenant) satisfies Flags<FlagKey>
  client.forTenant(await client.subject('acme')) satisfies Flags<FlagKey>
  client[Symbol.dispose]()
  looseClient.close()
  remove()

  const live = new DezkyProvider(client)
  live.rules satisfies Ruleset
  const provider = new DezkyProvider(document)
  provider.replace('{}')
  try {
    Ruleset.fromSnapshot('{')
  } catch (error) {
    if (error instanceof DezkyError && error.code === 'invalid_json') console.log(error.path, error.errors)
  }

  // @ts-expect-error an unknown key
  flags.isEnabled('new_porta')
  // @ts-expect-error a key of the wrong type
  loose.isEnabled(7, tenant)
  // @ts-expect-error an unknown key, of a client
  client.isEnabled('new_porta', tenant)
  // @ts-expect-error an unknown event
  client.on('changed', () => {})
  // @ts-expect-error a missing option: key
  await connect({ url: 'https://flags.example.com' })
  // @ts-expect-error an unknown action
  can({ key: { kind: 'server' } }, 'tenant.destroy')
  // @ts-expect-error a tenant without a plan
  rules.forTenant({ tenantId: 't1', tenantSlug: 'acme' })
  // @ts-expect-error a value that is no module source
  await init(7)
  // @ts-expect-error an unknown kind of document
  validate.feature({})
  // @ts-expect-error an unknown code
  if (new DezkyError([{ code: 'missing', path: '', message: '' }]).code === 'nothing') return
  console.log(name, status, on, why.reason, all, keys, read.isEnabled('new_portal'), strings, numbers, decision.allowed, plan.digest, ladder.steps, count, canonical)
}
