// Sign-in: the first one creates exactly one record, later ones update it within limits.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ADMINS, OPERATORS, PORTAL, assertRefused, laterToken, newScene, signedIn, tokenAfterLeeway } from '../support/scene.js';

const withEmail = async (server, token, email) => {
  const { body } = await server.get(token, '/users?limit=200');
  return body.items.filter((user) => user.email === email);
};

test('32 concurrent first sign-ins of one user create one record', async (t) => {
  const scene = await newScene(t);
  const { provider, server } = scene;
  const chief = await signedIn(scene, 'chief', [ADMINS], OPERATORS);
  for (const subject of ['ann', 'bob', 'cleo']) {
    await provider.person(subject, { groups: ['tenant-dezky'] });
    const tokens = [];
    for (let index = 0; index < 8; index += 1) {
      tokens.push(await provider.token(subject, index % 2 ? PORTAL : OPERATORS));
    }
    const answers = await Promise.all(Array.from({ length: 32 }, (_, index) => server.me(tokens[index % tokens.length])));
    assert.deepEqual(answers.map(({ status }) => status), Array(32).fill(200), answers.find(({ status }) => status !== 200)?.text);
    assert.equal(new Set(answers.map(({ body }) => body.profile.id)).size, 1);
    const records = await withEmail(server, chief.token, `${subject}@people.example`);
    assert.deepEqual(records.map(({ id }) => id), [answers[0].body.profile.id]);
    assert.deepEqual(answers[0].body.tenants.map(({ slug }) => slug), ['dezky']);
  }
});

test('of two users with one e-mail address, one gets a record and the other gets 409', async (t) => {
  const scene = await newScene(t);
  const { provider, server } = scene;
  const chief = await signedIn(scene, 'chief', [ADMINS], OPERATORS);
  for (const [email, spelling] of [
    ['info@people.example', 'info@people.example'],
    ['sales@people.example', 'Sales@People.Example'],
  ]) {
    const subjects = [`first-${email}`, `second-${email}`];
    await provider.person(subjects[0], { email });
    await provider.person(subjects[1], { email: spelling });
    const tokens = await Promise.all(subjects.map((subject) => provider.token(subject)));
    const answers = await Promise.all(tokens.map((token) => server.me(token)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409], answers.map(({ text }) => text).join('\n'));
    const loser = answers.findIndex(({ status }) => status === 409);
    assertRefused(answers[loser], 409, 'taken');
    assert.deepEqual(answers[loser].body.errors.map(({ path }) => path), ['/email']);
    assertRefused(await server.me(tokens[loser]), 409, 'taken');
    assertRefused(await server.get(tokens[loser], '/tenants'), 403, 'denied_no_user');
    const users = await server.get(chief.token, '/users?limit=200');
    assert.equal(users.body.items.filter((user) => user.email.toLowerCase() === email).length, 1);
  }
});

test('only a token issued after the last change of rights grants rights', async (t) => {
  const scene = await newScene(t);
  const { provider, server } = scene;
  const chief = await signedIn(scene, 'chief', [ADMINS], OPERATORS);
  const person = await signedIn(scene, 'ann', [], OPERATORS);
  await provider.person('ann', { groups: [ADMINS, 'tenant-dezky'] });
  const outdated = await provider.token('ann', OPERATORS);
  const changed = await server.patch(chief.token, `/users/${person.id}`, { role: 'admin' });
  assert.equal(changed.status, 200, changed.text);

  const stale = await server.me(outdated);
  assert.deepEqual([stale.body.profile.platformAdmin, stale.body.profile.tenantIds], [false, []], stale.text);
  assertRefused(await server.get(outdated, '/partners'), 403, 'denied_not_platform_admin');

  const fresh = await tokenAfterLeeway(provider, 'ann', OPERATORS);
  const granted = await server.me(fresh);
  assert.deepEqual([granted.body.profile.platformAdmin, granted.body.tenants.map(({ slug }) => slug)], [true, ['dezky']]);
  assert.equal(granted.body.profile.role, 'admin');
  // The record decides, so the older token does not remove the rights either.
  assert.equal((await server.me(outdated)).body.profile.platformAdmin, true);
  assert.equal((await server.get(outdated, '/partners')).status, 200);
});

test('a right that the identity provider removes ends at the next sign-in', async (t) => {
  const scene = await newScene(t);
  const { provider, server } = scene;
  // A second admin, because the last admin cannot lose the right.
  await signedIn(scene, 'chief', [ADMINS], OPERATORS);
  const person = await signedIn(scene, 'ann', [ADMINS, 'tenant-dezky'], OPERATORS);
  await provider.person('ann', { groups: [] });
  const fresh = await laterToken(provider, 'ann', OPERATORS);
  const after = await server.me(fresh);
  assert.deepEqual([after.body.profile.platformAdmin, after.body.profile.tenantIds], [false, []], after.text);
  // The older token still has the groups, but they are ignored.
  assert.equal((await server.me(person.token)).body.profile.platformAdmin, false);
  assertRefused(await server.get(person.token, '/partners'), 403, 'denied_not_platform_admin');
});

test('signing in never activates an inactive record', async (t) => {
  const scene = await newScene(t);
  const { provider, server } = scene;
  const chief = await signedIn(scene, 'chief', [ADMINS], OPERATORS);
  const person = await signedIn(scene, 'ann', [ADMINS], OPERATORS);
  const changed = await server.patch(chief.token, `/users/${person.id}`, { active: false });
  assert.equal(changed.status, 200, changed.text);
  const fresh = await laterToken(provider, 'ann', OPERATORS);
  const answers = await Promise.all(Array.from({ length: 8 }, (_, index) => server.me(index % 2 ? fresh : person.token)));
  for (const answer of answers) {
    assertRefused(answer, 403, 'denied_inactive_user');
  }
  assertRefused(await server.get(fresh, '/partners'), 403, 'denied_inactive_user');
  assert.equal((await server.get(chief.token, `/users/${person.id}`)).body.active, false);
});
