// A token holds until it expires, give or take the five seconds that clocks may differ.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { assertTokenRefused, newScene } from '../support/scene.js';

const LEEWAY = 5;

test('a token of two seconds is accepted, and refused once it and the leeway are over', async (t) => {
  const { provider, server } = await newScene(t);
  await provider.person('ann', {});
  const [shown, kept] = [await provider.token('ann', 'dezky-portal', 2), await provider.token('ann', 'dezky-portal', 2)];
  assert.equal((await server.me(shown)).status, 200);
  const { exp } = JSON.parse(Buffer.from(kept.split('.')[1], 'base64url'));
  await sleep((exp + LEEWAY) * 1_000 + 50 - Date.now());
  assertTokenRefused(await server.me(shown), 'token_expired');
  assertTokenRefused(await server.me(kept), 'token_expired');
  assert.equal((await server.me(await provider.token('ann'))).status, 200);
});
