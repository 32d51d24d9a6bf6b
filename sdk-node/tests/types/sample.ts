// Every operation, compiled with every strict option of TypeScript and without the types of Node.
import { can, changedKeys, connect, DezkyError, engine, rolloutPosition, Ruleset, validate, World } from '@dezky/sdk-node'
import type {
  AccessReason, Action, Axis, Change, Client, ClientCode, ClientEvents, ClientStatus, Code, ConnectOptions, Counts, Decision, Edit, Explanation, Flag, Flags, FlagRuleInput, Json, Ladder, Partner, Plan,
  Principal, Problem, Reason, Resource, Results, Snapshot, State, Subject, Subscription, Tenant, User, Validation, WorldDocument,
} from '@dezky/sdk-node'

type Key = 'jmap_native_v2' | 'new-portal'
const text = '{ "format": 1, "revision": 1, "environment": "production", "flags": [] }'

export function flags(): boolean {
  using rules = Ruleset.fromSnapshot<Key>(text)
  const untyped: Ruleset = Ruleset.fromSnapshot(new TextEncoder().encode(text))
  const plain: Ruleset = Ruleset.fromSnapshot({ format: 1, revision: 1, environment: 'production', flags: [] as FlagRuleInput[] })
  const subject: Subject = { tenantId: 't1', tenantSlug: 'acme', plan: 'business', partnerSlug: null, environment: undefined }
  const tenant: Flags<Key> = rules.forTenant(subject)
  const explanation: Explanation<Key> = tenant.explain('new-portal')
  const reason: Reason = explanation.reason
  const axis: Axis | undefined = explanation.axis
  const [position, pct]: (number | undefined)[] = [explanation.position, explanation.pct]
  const all: Record<Key, boolean> = tenant.all()
  const keys: Key[] = tenant.enabledKeys()
  const results: Results<Key> = tenant.toJSON()
  const answers = [reason, axis, position, pct, keys, results.flags['new-portal'], rules.revision, rules.environment, rules.keys[0], rules.digest]
  const fingerprint: string = rules.fingerprint([subject])
  const changed: string[] = changedKeys(text, { format: 1 })
  untyped.free()
  plain.free()
  const which: 'native' | 'wasm' = engine
  const hundredths: number = rolloutPosition('t1', 'new-portal')
  const isOn: boolean = rules.isEnabled('jmap_native_v2', '{}') && untyped.forTenant(subject).isEnabled('any key')
  return isOn && all['new-portal'] && tenant.isEnabled('new-portal') && [answers, fingerprint, changed, which, hundredths].length > 0
}

export function population(document: WorldDocument): void {
  using world = World.fromJson(document)
  const state: State = 'rollout'
  const edit: Edit = {
    edits: [
      { kind: 'putFlag', flag: { key: 'a', state, pct: 12.5, scope: { plans: ['business'] } } },
      { kind: 'deleteFlag', key: 'b' },
      { kind: 'moveTenant', tenantId: 't1', plan: 'free', partnerSlug: null },
    ],
  }
  const plan: Plan = world.plan(edit)
  const ladder: Ladder = world.ladder('a')
  const counts: Counts = world.counts('a')
  const numbers: number[] = [world.revision, world.registered, counts.on, plan.baseRevision, ...ladder.steps.map((step) => step.pct)]
  const partner: string | null | undefined = plan.byPartner[0]?.partnerSlug
  const strings: string[] = [world.environment, world.fingerprint(), plan.digest, ...plan.gained.map((pair) => pair.tenantId)]
  void [numbers, partner, strings]
}

export function access(principal: Principal, action: Action, resource: Resource): AccessReason {
  const decision: Decision = can(principal, action, resource)
  const same: Decision = can({ principal, action, resource })
  const key: Decision = can({ key: { kind: 'tenant', tenantId: 't1' } }, 'flag.evaluate', '{}')
  return decision.allowed && same.allowed ? decision.reason : key.reason
}

export function model(document: unknown): void {
  const tenant: Validation<Tenant> = validate.tenant(document)
  const partner: Partner | undefined = validate.partner(document).ok
  const user: User | undefined = validate.user(document).ok
  const subscription: Subscription | undefined = validate.subscription(document).ok
  const amount: number | bigint | undefined = subscription?.price.amount
  const flag: Flag | undefined = validate.flag(document).ok
  const change: Change | undefined = validate.change(document).ok
  const before: Json | undefined = change?.before
  const snapshot: Snapshot | undefined = validate.snapshot(document).ok
  if (tenant.errors) {
    const problems: readonly Problem[] = tenant.errors
    const code: Code | undefined = problems[0]?.code
    void code
  } else {
    const plan: string = tenant.ok.plan
    void plan
  }
  void [partner, user, amount, flag, before, snapshot]
}

export async function live(): Promise<ClientStatus> {
  const options: ConnectOptions = { url: 'https://flags.example.com', key: async () => 'dzk_', tenant: undefined, pastDeadline: 'file', file: '/var/good.json' }
  using client: Client<Key> = await connect<Key>(options)
  const untyped: Client = await connect({ url: 'https://flags.example.com', key: 'dzk_', snapshot: text, timing: { silence: 1_000 } })
  const rules: Ruleset<Key> = client.ruleset
  const tenant: Flags<Key> = client.forTenant({ tenantId: 't1', tenantSlug: 'acme', plan: 'business' })
  const acme: Subject = await client.subject('acme')
  const closing: Promise<void> = untyped.close()
  const remove: () => void = client.on('change', ({ keys, revision }: ClientEvents<Key>['change']) => void [keys satisfies readonly Key[], revision])
  client.on('ready', ({ revision }) => revision satisfies number)
  client.on('stale', ({ age }) => age satisfies number)
  client.on('error', async ({ code, message, fatal, serverCode }) => void [serverCode satisfies string | undefined, code satisfies ClientCode satisfies Code, message satisfies string, fatal satisfies boolean])
  remove()
  await closing
  client.isEnabled('new-portal', acme)
  return rules.isEnabled('new-portal', '{}') && tenant.isEnabled('new-portal') && client.isEnabled('new-portal', '{}') ? client.status : 'stale'
}

export function caught(error: unknown): readonly string[] {
  if (!(error instanceof DezkyError)) return []
  const code: Code = error.code
  return [code, error.path, error.message, ...error.errors.map((each) => each.message)]
}
