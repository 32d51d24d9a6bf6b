// For each algorithm: an operator can work, but not with a token for the portal.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ALGORITHMS } from '../support/keys.js';
import { ADMINS, OPERATORS, PORTAL, assertRefused, newScene, signedIn } from '../support/scene.js';

for (const algorithm of ALGORITHMS) {
  test(`${algorithm}: an operator can create a partner, but not with a portal token`, async (t) => {
    const scene = await newScene(t, { algorithm });
    const operator = await signedIn(scene, 'olga', [ADMINS], OPERATORS);
    assert.equal(JSON.parse(Buffer.from(operator.token.split('.')[0], 'base64url')).alg, algorithm);
    assert.equal(operator.profile.platformAdmin, true);
    assert.deepEqual(operator.profile.subject, { issuer: scene.provider.issuer, sub: 'olga' });
    assert.equal(operator.profile.email, 'olga@people.example');

    const partner = { slug: 'nordlys', name: 'Nordlys Cloud' };
    const portal = await scene.provider.token('olga', PORTAL);
    assert.equal((await scene.server.me(portal)).body.profile.id, operator.id);
    const refused = await scene.server.post(portal, '/partners', partner);
    assertRefused(refused, 403, 'denied_operator_audience');
    assert.equal(refused.body.detail, 'This endpoint requires an operator-scoped token');

    const created = await scene.server.post(operator.token, '/partners', partner);
    assert.equal(created.status, 201, created.text);
    assert.equal(created.body.slug, 'nordlys');
    const listed = await scene.server.get(operator.token, '/partners');
    assert.deepEqual(listed.body.items.map(({ slug }) => slug), ['nordlys']);
  });
}

test('an operator token gives no rights to a user who is not an admin', async (t) => {
  const scene = await newScene(t);
  const { token, profile } = await signedIn(scene, 'nils', ['some-other-group'], OPERATORS);
  assert.equal(profile.platformAdmin, false);
  const refused = await scene.server.post(token, '/partners', { slug: 'nordlys', name: 'Nordlys Cloud' });
  assertRefused(refused, 403, 'denied_not_platform_admin');
});
