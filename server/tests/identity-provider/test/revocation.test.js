// Revoked rights: every request that starts after the answer to the change is refused, under load.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { ADMINS, OPERATORS, assertRefused, laterToken, newScene, signedIn, tokenAfterLeeway } from '../support/scene.js';

const LOOPS = 16;
const ROUNDS = 6;
const PLAN = { edits: [{ kind: 'deleteFlag', key: 'search_across_apps' }] };

/** Sends requests in many loops until stopped, and records their times and answers. */
function load(requests) {
  const records = [];
  let isDone = false;
  const ask = async (index) => {
    const started = performance.now();
    const { status, body } = await requests[index % requests.length]();
    records.push({ started, ended: performance.now(), status, code: body?.code, index: index % requests.length });
  };
  const loops = Array.from({ length: LOOPS }, async (_, index) => {
    while (!isDone) {
      await ask(index);
    }
  });
  return {
    /** Sends 32 more requests at once. */
    burst: () => Promise.all(Array.from({ length: 32 }, (_, index) => ask(index))),
    /** Waits until the loops have recorded that many more requests. */
    async more(count) {
      const wanted = records.length + count;
      const end = performance.now() + 20_000;
      while (records.length < wanted) {
        assert.ok(performance.now() < end, `only ${records.length} of ${wanted} requests were answered`);
        await sleep(5);
      }
    },
    async stop() {
      isDone = true;
      await Promise.all(loops);
      return records;
    },
  };
}

/**
 * Makes a change under load. Returns the requests that ended before the change was sent, and those
 * that started after its answer.
 */
async function changeUnderLoad(requests, change) {
  const running = load(requests);
  await running.more(8 * LOOPS);
  const sent = performance.now();
  const answer = await change();
  const answered = performance.now();
  assert.equal(answer.status, 200, answer.text);
  await running.burst();
  await running.more(8 * LOOPS);
  const records = await running.stop();
  return {
    before: records.filter(({ ended }) => ended < sent),
    after: records.filter(({ started }) => started > answered),
  };
}

function assertAll(records, status, code) {
  assert.ok(records.length >= LOOPS, `only ${records.length} requests`);
  const others = records.filter((record) => record.status !== status || record.code !== code);
  assert.deepEqual(others.slice(0, 3), [], `${others.length} of ${records.length} had another answer`);
}

const operatorRequests = (server, token) => [
  () => server.get(token, '/partners'),
  () => server.post(token, '/flags/plan', PLAN),
  () => server.get(token, '/flags/search_across_apps/counts'),
];

for (const [right, code] of [
  ['active', 'denied_inactive_user'],
  ['platformAdmin', 'denied_not_platform_admin'],
]) {
  test(`an operator whose record loses ${right} is refused at once`, async (t) => {
    const scene = await newScene(t);
    const { server } = scene;
    const chief = await signedIn(scene, 'chief', [ADMINS], OPERATORS);
    const other = await signedIn(scene, 'other', [ADMINS], OPERATORS);
    const requests = operatorRequests(server, other.token);
    for (let round = 0; round < ROUNDS; round += 1) {
      const change = (value) => () => server.patch(chief.token, `/users/${other.id}`, { [right]: value });
      const revoked = await changeUnderLoad(requests, change(false));
      assertAll(revoked.before, 200, undefined);
      assertAll(revoked.after, 403, code);

      // The token still has the groups of an admin.
      const me = await server.me(other.token);
      if (right === 'active') {
        assertRefused(me, 403, code);
      } else {
        assert.equal(me.body.profile.platformAdmin, false, me.text);
      }
      assertRefused(await server.get(other.token, '/partners'), 403, code);

      const restored = await changeUnderLoad(requests, change(true));
      assertAll(restored.before, 403, code);
      assertAll(restored.after, 200, undefined);
    }
  });
}

test('signing in with an old token restores no right', async (t) => {
  const scene = await newScene(t);
  const { server, provider } = scene;
  const chief = await signedIn(scene, 'chief', [ADMINS], OPERATORS);
  const other = await signedIn(scene, 'other', [ADMINS], OPERATORS);
  // Tokens that were issued before the change, but not used before it.
  const further = await Promise.all([1, 2, 3].map(() => provider.token('other', OPERATORS)));
  const requests = [() => server.get(other.token, '/partners'), ...further.map((token) => () => server.me(token))];
  const { after } = await changeUnderLoad(requests, () => server.patch(chief.token, `/users/${other.id}`, { platformAdmin: false }));
  assertAll(after.filter(({ index }) => index === 0), 403, 'denied_not_platform_admin');
  assertAll(after.filter(({ index }) => index > 0), 200, undefined);
  const kept = await server.get(chief.token, `/users/${other.id}`);
  assert.equal(kept.body.platformAdmin, false, kept.text);
  // A newer token with the same groups restores nothing either. The operator's decision holds until
  // the identity provider changes the groups.
  const same = await tokenAfterLeeway(provider, 'other', OPERATORS);
  assert.equal((await server.me(same)).body.profile.platformAdmin, false);
  await provider.person('other', { groups: [] });
  const without = await laterToken(provider, 'other', OPERATORS);
  assert.equal((await server.me(without)).body.profile.platformAdmin, false);
  await provider.person('other', { groups: [ADMINS] });
  const fresh = await laterToken(provider, 'other', OPERATORS);
  assert.equal((await server.me(fresh)).body.profile.platformAdmin, true);
});

test('a member who loses a tenant cannot find it any more', async (t) => {
  const scene = await newScene(t);
  const { server } = scene;
  const chief = await signedIn(scene, 'chief', [ADMINS], OPERATORS);
  const member = await signedIn(scene, 'mia', ['tenant-dezky']);
  const { tenantIds } = member.profile;
  assert.equal(tenantIds.length, 1);
  const requests = [() => server.get(member.token, '/tenants/dezky'), () => server.get(member.token, '/tenants/dezky/users')];
  for (let round = 0; round < ROUNDS; round += 1) {
    const change = (ids) => () => server.patch(chief.token, `/users/${member.id}`, { tenantIds: ids });
    const revoked = await changeUnderLoad(requests, change([]));
    assertAll(revoked.before, 200, undefined);
    assertAll(revoked.after, 404, 'not_found');
    assert.deepEqual((await server.me(member.token)).body.tenants, []);
    assert.deepEqual((await server.get(member.token, '/tenants')).body.items, []);
    assertRefused(await server.get(member.token, '/tenants/dezky'), 404, 'not_found');

    const restored = await changeUnderLoad(requests, change(tenantIds));
    assertAll(restored.before, 404, 'not_found');
    assertAll(restored.after, 200, undefined);
  }
});
