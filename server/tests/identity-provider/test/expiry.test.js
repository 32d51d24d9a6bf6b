// Expiry: a token is valid until its expiry plus the leeway of 5 s.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { assertTokenRefused, newScene } from '../support/scene.js';

const LEEWAY = 5;

test('a token of two seconds is refused after its expiry and the leeway', async (t) => {
  const { provider, server } = await newScene(t);
  await provider.person('ann', {});
  const [used, unused] = [await provider.token('ann', 'dezky-portal', 2), await provider.token('ann', 'dezky-portal', 2)];
  assert.equal((await server.me(used)).status, 200);
  const { exp } = JSON.parse(Buffer.from(unused.split('.')[1], 'base64url'));
  await sleep((exp + LEEWAY) * 1_000 + 50 - Date.now());
  assertTokenRefused(await server.me(used), 'token_expired');
  assertTokenRefused(await server.me(unused), 'token_expired');
  assert.equal((await server.me(await provider.token('ann'))).status, 200);
});
