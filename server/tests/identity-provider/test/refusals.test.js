// Refused tokens: status 401, the code, and the claim at fault.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { newKey } from '../support/keys.js';
import { startProvider } from '../support/provider.js';
import { assertRefused, assertTokenRefused } from '../support/scene.js';
import { startServer } from '../support/server.js';

/** Changes members of the header or payload of a token and keeps its signature. */
function tampered(token, part, members) {
  const parts = token.split('.');
  const changed = { ...JSON.parse(Buffer.from(parts[part], 'base64url')), ...members };
  parts[part] = Buffer.from(JSON.stringify(changed)).toString('base64url');
  return parts.join('.');
}

describe('refusals', () => {
  const keys = [newKey('ES256')];
  let provider;
  let server;
  let token;

  const stops = [];
  after(() => Promise.all(stops.map((stop) => stop())));

  before(async () => {
    const suite = { after: (stop) => stops.push(stop) };
    provider = await startProvider(suite, { algorithm: 'ES256', keys });
    await provider.person('ann', {});
    server = await startServer(suite, { issuer: provider.issuer });
    token = await provider.token('ann');
    assert.equal((await server.me(token)).status, 200);
  });

  test('a missing token is refused', async () => {
    const answer = await server.me(undefined);
    assertRefused(answer, 401, 'token_missing');
    assert.equal(answer.headers['www-authenticate'], 'Bearer realm="dezky"');
  });

  test('a token of another issuer with the same key is refused', async (t) => {
    const other = await startProvider(t, { algorithm: 'ES256', keys });
    await other.person('ann', {});
    assertTokenRefused(await server.me(await other.token('ann')), 'token_issuer_unknown');
  });

  test('a token of another issuer with another key is refused', async (t) => {
    const other = await startProvider(t, { algorithm: 'ES256', keys: [newKey('ES256')] });
    await other.person('ann', {});
    assertTokenRefused(await server.me(await other.token('ann')), 'token_kid_unknown');
  });

  test('a token of another issuer with the same key id is refused', async (t) => {
    const other = await startProvider(t, { algorithm: 'ES256', keys: [{ ...newKey('ES256'), kid: keys[0].kid }] });
    await other.person('ann', {});
    assertTokenRefused(await server.me(await other.token('ann')), 'token_signature');
  });

  test('a token for another audience is refused', async () => {
    assertTokenRefused(await server.me(await provider.token('ann', 'somebody-else')), 'token_audience_other');
  });

  test('a token with changed claims is refused', async () => {
    const changes = [{ sub: 'bob' }, { aud: 'dezky-operator' }, { groups: ['dezky-platform-admins'] }, { exp: 4_102_444_800 }];
    for (const members of changes) {
      assertTokenRefused(await server.me(tampered(token, 1, members)), 'token_signature');
    }
  });

  test('a token with a changed or missing signature is refused', async () => {
    const [header, payload, signature] = token.split('.');
    const other = Buffer.from(signature, 'base64url').map((byte, index) => (index === 9 ? byte ^ 1 : byte));
    const broken = [header, payload, Buffer.from(other).toString('base64url')].join('.');
    assertTokenRefused(await server.me(broken), 'token_signature');
    assertTokenRefused(await server.me(`${header}.${payload}.`), 'token_signature_missing');
    assertTokenRefused(await server.me(tampered(token, 0, { alg: 'none' })), 'token_alg_none');
    assertTokenRefused(await server.me(tampered(token, 0, { alg: 'HS256' })), 'token_alg_symmetric');
  });

  test('an ID token for an accepted audience is refused, with and without a nonce', async () => {
    for (const nonce of ['n-0S6_WzA2Mj', undefined]) {
      const { id_token: idToken } = await provider.tokens('ann', { nonce });
      const claims = JSON.parse(Buffer.from(idToken.split('.')[1], 'base64url'));
      assert.deepEqual([claims.aud, claims.nonce], ['dezky-portal', nonce]);
      assertTokenRefused(await server.me(idToken), 'token_not_access');
    }
  });

  test('the refusal names the claim and the accepted values, but no value of the token', async () => {
    const { body } = await server.me(await provider.token('ann', 'somebody-else'));
    assert.match(body.detail, /claim aud: .*; accepted here: dezky-operator, dezky-portal$/);
    assert.ok(!JSON.stringify(body).includes('somebody-else'));
  });

  test('a valid token stays valid after the refusals', async () => {
    assert.equal((await server.me(token)).status, 200);
  });
});
