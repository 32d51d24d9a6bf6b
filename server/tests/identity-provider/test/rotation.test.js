// Key rotation at the identity provider. The server fetches again after 30 s at the earliest, so
// these tests wait, concurrently.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { newKey } from '../support/keys.js';
import { startProvider } from '../support/provider.js';
import { assertTokenRefused } from '../support/scene.js';
import { startServer } from '../support/server.js';

const COOLDOWN = 30_000;

/** Starts a server that fetches keys, then replaces the provider by one with other keys. */
async function rotate(t, before, after) {
  const first = await startProvider(t, { algorithm: 'ES256', keys: before });
  await first.person('ann', {});
  const [used, unused] = [await first.token('ann'), await first.token('ann')];
  const server = await startServer(t, { issuer: first.issuer });
  const fetched = Date.now();
  assert.equal((await server.me(used)).status, 200);
  await first.stop();
  const second = await startProvider(t, { algorithm: 'ES256', keys: after, port: first.port });
  assert.equal(second.issuer, first.issuer);
  await second.person('ann', {});
  const fresh = await second.token('ann');
  return { server, second, used, unused, fresh, cooldownOver: () => sleep(Math.max(0, fetched + COOLDOWN + 500 - Date.now())) };
}

describe('rotation', { concurrency: true }, () => {
  test('after a refresh a new key is accepted, and the old one while it is published', async (t) => {
    const [old, next] = [newKey('ES256'), newKey('ES256')];
    const { server, second, used, unused, fresh, cooldownOver } = await rotate(t, [old], [next, old]);
    assertTokenRefused(await server.me(fresh), 'token_kid_unknown');
    await cooldownOver();
    assert.equal((await server.me(fresh)).status, 200);
    assert.equal((await server.me(used)).status, 200);
    assert.equal((await server.me(unused)).status, 200);
    assert.equal(await second.keySetRequests(), 1);
  });

  test('after a refresh a withdrawn key is refused, also for cached tokens', async (t) => {
    const { server, used, unused, fresh, cooldownOver } = await rotate(t, [newKey('ES256')], [newKey('ES256')]);
    assertTokenRefused(await server.me(fresh), 'token_kid_unknown');
    assert.equal((await server.me(used)).status, 200);
    await cooldownOver();
    assert.equal((await server.me(fresh)).status, 200);
    assertTokenRefused(await server.me(used), 'token_kid_unknown');
    assertTokenRefused(await server.me(unused), 'token_kid_unknown');
  });

  test('invented key ids cause one fetch per cooldown', async (t) => {
    const provider = await startProvider(t, { algorithm: 'ES256', keys: [newKey('ES256')] });
    await provider.person('ann', {});
    const token = await provider.token('ann');
    const server = await startServer(t, { issuer: provider.issuer });
    const fetched = Date.now();
    assert.equal(await provider.keySetRequests(), 1);
    const flood = () => Promise.all(Array.from({ length: 200 }, (_, index) => server.me(withKeyId(token, `made-up-${index}`))));
    for (const answer of await flood()) {
      assertTokenRefused(answer, 'token_kid_unknown');
    }
    assert.equal(await provider.keySetRequests(), 1);
    await sleep(Math.max(0, fetched + COOLDOWN + 500 - Date.now()));
    for (const answer of await flood()) {
      assertTokenRefused(answer, 'token_kid_unknown');
    }
    assert.equal(await provider.keySetRequests(), 2);
    assert.equal((await server.me(token)).status, 200);
  });
});

function withKeyId(token, kid) {
  const [header, ...rest] = token.split('.');
  const changed = { ...JSON.parse(Buffer.from(header, 'base64url')), kid };
  return [Buffer.from(JSON.stringify(changed)).toString('base64url'), ...rest].join('.');
}
