// A server with the flags and keys of cases.json, and the cases with all values filled in.

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

import { startServer } from './server.js';

export const TABLE = JSON.parse(readFileSync(new URL('../cases.json', import.meta.url), 'utf8'));

/** The default value for each requested type in cases with an error. */
const DEFAULTS = { boolean: true, string: 'the default', number: 7.5, object: { the: 'default' } };

/**
 * Starts a server and returns its cases: `{ name, secret, context, flag, type, default, status,
 * expected }`, with `expected` as `{ value, reason, variant, metadata }` or `{ errorCode }`.
 */
export async function newScene(test, options) {
  const server = await startServer(test, options);
  const tenants = new Map((await server.ask('GET', '/tenants?limit=100')).items.map(({ slug, id }) => [slug, id]));
  for (const { key, state, pct = 0, scope = {}, then = [] } of TABLE.flags) {
    await server.ask('POST', '/flags', { key, state, pct: percentage(key, pct, tenants), scope });
    for (const step of then) {
      await (step === 'kill' ? server.act(`/flags/${key}/kill`) : server.setState(key, step));
    }
  }
  for (const slug of TABLE.suspended) {
    await server.act(`/tenants/${slug}/suspend`);
  }
  for (const slug of TABLE.terminated) {
    await server.ask('DELETE', `/tenants/${slug}`);
  }
  const { keys, secrets } = await makeKeys(server);
  const cases = [...(await evaluations(server, tenants, secrets)), ...refusals(secrets)];
  return { server, keys, secrets, cases };
}

/** Returns the position of a tenant in the rollout of a flag, in hundredths of a percent. */
function position(key, tenantId) {
  const hash = BigInt(`0x${createHash('sha256').update(`${tenantId}:${key}`).digest('hex')}`);
  return Number((hash % 100n) * 100n + ((hash / 100n) % 100n));
}

function percentage(key, pct, tenants) {
  if (typeof pct === 'number') {
    return pct;
  }
  const at = position(key, tenants.get(pct.tenant));
  return pct.percents === undefined ? (at + pct.hundredths) / 100 : Math.floor(at / 100) + pct.percents;
}

/**
 * Creates a server key, a key for each tenant of the table, and a revoked and an unknown key.
 * Returns their ids and their secrets.
 */
async function makeKeys(server) {
  const names = ['server', 'revoked', ...new Set(TABLE.evaluations.map(({ tenant }) => tenant))];
  const [keys, secrets] = [{}, { unknown: `dzk_${'A'.repeat(43)}` }];
  for (const name of names) {
    const whose = names.indexOf(name) < 2 ? { kind: 'server' } : { kind: 'tenant', tenantSlug: name };
    const made = await server.ask('POST', '/keys', { name, ...whose });
    keys[name] = made.id;
    secrets[name] = made.secret;
  }
  await server.ask('DELETE', `/keys/${keys.revoked}`);
  return { keys, secrets };
}

async function evaluations(server, tenants, secrets) {
  const { revision: newest, environment } = await server.ask('GET', '/flags/snapshot');
  const cases = [];
  for (const { flag, tenant, value, reason, variant, metadata = {} } of TABLE.evaluations) {
    const id = tenants.get(tenant);
    const { revision: own } = await server.ask('GET', `/flags/slice?tenant=${tenant}`);
    const { pct } = TABLE.flags.find(({ key }) => key === flag);
    const rollout = reason === 'SPLIT' ? { bucket: position(flag, id) / 100, pct: percentage(flag, pct, tenants) } : {};
    for (const [holder, revision] of [['server', newest], [tenant, own]]) {
      const shared = { version: `rev-${revision}`, flagSetId: environment, contextId: id };
      for (const targetingKey of [tenant, id]) {
        cases.push({
          name: `${flag} for ${tenant} by ${targetingKey === id ? 'id' : 'slug'} with the key of ${holder}`,
          secret: secrets[holder],
          context: { targetingKey },
          flag,
          type: 'boolean',
          default: !value,
          status: 200,
          expected: { value, reason, variant, metadata: { ...shared, ...metadata, ...rollout } },
        });
      }
    }
  }
  return cases;
}

function refusals(secrets) {
  return TABLE.refusals.map(({ what, key, context, flag, type = 'boolean', status, errorCode }) => ({
    name: what,
    secret: secrets[key],
    context,
    flag,
    type,
    default: DEFAULTS[type],
    status,
    expected: { errorCode },
  }));
}

/** Writes a scene file for a client, with the results that this client must return. */
export function writeScene(path, client, { server, cases }) {
  const expected = cases.map((one) => ({ ...one, expected: expectedFor(client, one) }));
  writeFileSync(path, JSON.stringify({ url: server.url, cases: expected }));
}

/** Returns the result that a client must return for a case. */
export function expectedFor(client, { status, expected, ...rest }) {
  const { statuses = {}, errorCodes = {}, about, ...others } = TABLE.clients[client];
  const { errorCode } = expected;
  if (!errorCode) {
    return { ...expected, ...others };
  }
  return { value: rest.default, ...(statuses[status] ?? { errorCode: errorCodes[errorCode] ?? errorCode }) };
}
