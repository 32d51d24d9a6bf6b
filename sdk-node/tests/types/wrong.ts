// Statements that must fail to compile, each with the expected TypeScript error code.
import { can, type Client, connect, Ruleset, validate, World } from '@dezky/sdk-node'

const rules = Ruleset.fromSnapshot<'jmap_native_v2'>('{}')
const tenant = rules.forTenant({ tenantId: 't1', tenantSlug: 'acme', plan: 'business' })
tenant.isEnabled('jmap_native_v3') // TS2345
tenant.explain('jmap_native_v3') // TS2345
rules.isEnabled('jmap_native_v3', '{}') // TS2345
tenant.all()['jmap_native_v3'] // TS2551
rules.forTenant({ tenantId: 't1', tenantSlug: 'acme' }) // TS2345
rules.forTenant({ tenantId: 7, tenantSlug: 'acme', plan: 'business' }) // TS2322
can({ key: { kind: 'server' } }, 'tenant.paint', {}) // TS2345
World.fromJson('{}').plan({ edits: [{ kind: 'putFlag' }] }) // TS2322
validate.invoice({}) // TS2339
new Ruleset() // TS2673
declare const client: Client<'jmap_native_v2'>
client.isEnabled('jmap_native_v3', '{}') // TS2345
client.on('changed', () => {}) // TS2345
client.on('stale', ({ revision }) => revision) // TS2339
client.ruleset = rules // TS2540
connect({ url: 'https://flags.example.com' }) // TS2741
connect({ url: 'https://flags.example.com', key: 'dzk_', past_deadline: 'off' }) // TS2561
connect({ url: 'https://flags.example.com', key: 'dzk_', pastDeadline: 'on' }) // TS2322
