// Keys that come and go at the identity provider. The server asks again after 30 s at the earliest, so these tests wait; they do so together.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { newKey } from '../support/keys.js';
import { startProvider } from '../support/provider.js';
import { assertTokenRefused } from '../support/scene.js';
import { startServer } from '../support/server.js';

const COOLDOWN = 30_000;

/** A server that fetched the keys of a provider that then is replaced by one with other keys. */
async function rotated(t, before, after) {
  const first = await startProvider(t, { algorithm: 'ES256', keys: before });
  await first.person('ann', {});
  const [shown, kept] = [await first.token('ann'), await first.token('ann')];
  const server = await startServer(t, { issuer: first.issuer });
  const fetched = Date.now();
  assert.equal((await server.me(shown)).status, 200);
  await first.stop();
  const second = await startProvider(t, { algorithm: 'ES256', keys: after, port: first.port });
  assert.equal(second.issuer, first.issuer);
  await second.person('ann', {});
  const fresh = await second.token('ann');
  return { server, second, shown, kept, fresh, cooled: () => sleep(Math.max(0, fetched + COOLDOWN + 500 - Date.now())) };
}

describe('rotation', { concurrency: true }, () => {
  test('a new key is accepted after a refresh, and the old one beside it as long as it is published', async (t) => {
    const [old, next] = [newKey('ES256'), newKey('ES256')];
    const { server, second, shown, kept, fresh, cooled } = await rotated(t, [old], [next, old]);
    assertTokenRefused(await server.me(fresh), 'token_kid_unknown');
    await cooled();
    assert.equal((await server.me(fresh)).status, 200);
    assert.equal((await server.me(shown)).status, 200);
    assert.equal((await server.me(kept)).status, 200);
    assert.equal(await second.keySetRequests(), 1);
  });

  test('a key that is withdrawn counts no more after a refresh, not even for tokens seen before', async (t) => {
    const { server, shown, kept, fresh, cooled } = await rotated(t, [newKey('ES256')], [newKey('ES256')]);
    assertTokenRefused(await server.me(fresh), 'token_kid_unknown');
    assert.equal((await server.me(shown)).status, 200);
    await cooled();
    assert.equal((await server.me(fresh)).status, 200);
    assertTokenRefused(await server.me(shown), 'token_kid_unknown');
    assertTokenRefused(await server.me(kept), 'token_kid_unknown');
  });

  test('however many keys are made up, the provider is asked once in a cooldown', async (t) => {
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
