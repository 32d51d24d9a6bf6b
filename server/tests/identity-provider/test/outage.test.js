// An unreachable identity provider, at the start and later.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { newKey } from '../support/keys.js';
import { startProvider } from '../support/provider.js';
import { assertRefused, assertTokenRefused } from '../support/scene.js';
import { startServer } from '../support/server.js';

test('the server waits for its provider at the start, and serves without it later', async (t) => {
  const keys = [newKey('ES256')];
  const first = await startProvider(t, { algorithm: 'ES256', keys });
  const { issuer, port } = first;
  await first.person('ann', {});
  const token = await first.token('ann');
  await first.stop();

  const server = await startServer(t, { issuer, awaits: 'nothing' });
  assert.equal((await server.get(undefined, '/healthz')).status, 200);
  const unready = await server.get(undefined, '/readyz');
  assertRefused(unready, 503, 'not_ready');
  assert.match(unready.body.detail, /no keys have been fetched from http:\/\/127\.0\.0\.1:\d+/);
  const unverified = await server.me(token);
  assertRefused(unverified, 503, 'keys_unavailable');
  assert.match(unverified.headers['retry-after'], /^\d+$/);

  const second = await startProvider(t, { algorithm: 'ES256', keys, port });
  await server.ready(12_000);
  assert.equal((await server.me(token)).status, 200);

  await second.person('ann', {});
  const unused = await second.token('ann');
  await second.stop();
  assert.equal((await server.me(token)).status, 200);
  assert.equal((await server.me(unused)).status, 200);
  assertTokenRefused(await server.me(`${unused.slice(0, -8)}AAAAAAAA`), 'token_signature');
  assert.equal((await server.get(undefined, '/readyz')).status, 200);
});
