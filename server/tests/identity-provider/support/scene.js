// The common setup: an identity provider, a server that trusts it, and users.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import { newKey } from './keys.js';
import { startProvider } from './provider.js';
import { startServer } from './server.js';

export const ADMINS = 'dezky-platform-admins';
export const OPERATORS = 'dezky-operator';
export const PORTAL = 'dezky-portal';

/** The allowed clock difference in milliseconds. */
const LEEWAY = 5_000;

/** Starts a provider with one key, and a server that is ready. */
export async function newScene(test, { algorithm = 'ES256', further } = {}) {
  const provider = await startProvider(test, { algorithm, keys: [newKey(algorithm)] });
  const server = await startServer(test, { issuer: provider.issuer, further });
  return { provider, server };
}

/** Creates a user with groups and signs the user in once. */
export async function signedIn({ provider, server }, subject, groups, audience = PORTAL) {
  await provider.person(subject, { groups });
  const token = await provider.token(subject, audience);
  const answer = await server.me(token);
  assert.equal(answer.status, 200, answer.text);
  return { token, id: answer.body.profile.id, profile: answer.body.profile };
}

/** Gets a token issued in a later second, because issue times are whole seconds. */
export async function laterToken(provider, subject, audience) {
  await sleep(1_000 - (Date.now() % 1_000) + 5);
  return provider.token(subject, audience);
}

/** Gets a token issued after the leeway, so that it is certainly newer than a recent change. */
export async function tokenAfterLeeway(provider, subject, audience) {
  await sleep(LEEWAY + 1_000);
  return provider.token(subject, audience);
}

/** Asserts a problem document with a status and a code. */
export function assertRefused(answer, status, code) {
  assert.deepEqual([answer.status, answer.body?.code], [status, code], answer.text);
  assert.match(answer.headers['content-type'], /^application\/problem\+json/);
}

/** Asserts a 401 with a challenge that reveals only the code. */
export function assertTokenRefused(answer, code) {
  assertRefused(answer, 401, code);
  assert.equal(answer.headers['www-authenticate'], 'Bearer realm="dezky", error="invalid_token"');
  const { requestId, detail, errors, ...rest } = answer.body;
  assert.ok(requestId);
  assert.deepEqual(rest, { type: 'about:blank', title: 'Unauthorized', status: 401, code });
  assert.equal(errors[0].code, code);
  const location = errors[0].path.replace('/claims/', 'claim ').replace('/header/', 'header ').replace(/^\//, '');
  assert.ok(detail.startsWith(`The access token is not accepted. ${location}: `), detail);
}
