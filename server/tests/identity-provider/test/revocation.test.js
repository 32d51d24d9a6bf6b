// A right taken away is gone for every request that starts after the answer to the change, however many are under way.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { ADMINS, OPERATORS, assertRefused, laterToken, newScene, signedIn, tokenAfterLeeway } from '../support/scene.js';

const LOOPS = 16;
const ROUNDS = 6;
const PLAN = { edits: [{ kind: 'deleteFlag', key: 'search_across_apps' }] };

/** Asks in many loops at once until stopped; each request with its times and what came of it. */
function load(asks) {
  const records = [];
  let isOver = false;
  const ask = async (index) => {
    const started = performance.now();
    const { status, body } = await asks[index % asks.length]();
    records.push({ started, ended: performance.now(), status, code: body?.code, index: index % asks.length });
  };
  const loops = Array.from({ length: LOOPS }, async (_, index) => {
    while (!isOver) {
      await ask(index);
    }
  });
  return {
    /** Many at the same moment, in addition. */
    burst: () => Promise.all(Array.from({ length: 32 }, (_, index) => ask(index))),
    async stop() {
      isOver = true;
      await Promise.all(loops);
      return records;
    },
  };
}

/** Runs load, makes the change in the midst of it, and hands back what was answered before it and what was asked after its answer. */
async function changedUnderLoad(asks, change) {
  const running = load(asks);
  await sleep(250);
  const asked = performance.now();
  const answer = await change();
  const answered = performance.now();
  assert.equal(answer.status, 200, answer.text);
  await running.burst();
  await sleep(150);
  const records = await running.stop();
  return {
    before: records.filter(({ ended }) => ended < asked),
    after: records.filter(({ started }) => started > answered),
  };
}

function assertAll(records, status, code) {
  assert.ok(records.length >= LOOPS, `only ${records.length} requests`);
  const strays = records.filter((record) => record.status !== status || record.code !== code);
  assert.deepEqual(strays.slice(0, 3), [], `${strays.length} of ${records.length} were answered otherwise`);
}

const operatorAsks = (server, token) => [
  () => server.get(token, '/partners'),
  () => server.post(token, '/flags/plan', PLAN),
  () => server.get(token, '/flags/search_across_apps/counts'),
];

for (const [right, code] of [
  ['active', 'denied_inactive_user'],
  ['platformAdmin', 'denied_not_platform_admin'],
]) {
  test(`an operator whose record loses ${right} is refused from the next request on`, async (t) => {
    const scene = await newScene(t);
    const { server } = scene;
    const chief = await signedIn(scene, 'chief', [ADMINS], OPERATORS);
    const other = await signedIn(scene, 'other', [ADMINS], OPERATORS);
    const asks = operatorAsks(server, other.token);
    for (let round = 0; round < ROUNDS; round += 1) {
      const change = (value) => () => server.patch(chief.token, `/users/${other.id}`, { [right]: value });
      const taken = await changedUnderLoad(asks, change(false));
      assertAll(taken.before, 200, undefined);
      assertAll(taken.after, 403, code);

      // The groups of the token are those of an admin still.
      const me = await server.me(other.token);
      if (right === 'active') {
        assertRefused(me, 403, code);
      } else {
        assert.equal(me.body.profile.platformAdmin, false, me.text);
      }
      assertRefused(await server.get(other.token, '/partners'), 403, code);

      const given = await changedUnderLoad(asks, change(true));
      assertAll(given.before, 403, code);
      assertAll(given.after, 200, undefined);
    }
  });
}

test('signing in with the old token all the while brings nothing back', async (t) => {
  const scene = await newScene(t);
  const { server, provider } = scene;
  const chief = await signedIn(scene, 'chief', [ADMINS], OPERATORS);
  const other = await signedIn(scene, 'other', [ADMINS], OPERATORS);
  // Not shown before the change, but issued before it.
  const further = await Promise.all([1, 2, 3].map(() => provider.token('other', OPERATORS)));
  const asks = [() => server.get(other.token, '/partners'), ...further.map((token) => () => server.me(token))];
  const { after } = await changedUnderLoad(asks, () => server.patch(chief.token, `/users/${other.id}`, { platformAdmin: false }));
  assertAll(after.filter(({ index }) => index === 0), 403, 'denied_not_platform_admin');
  assertAll(after.filter(({ index }) => index > 0), 200, undefined);
  const kept = await server.get(chief.token, `/users/${other.id}`);
  assert.equal(kept.body.platformAdmin, false, kept.text);
  // A newer token with the same groups does not either: the operator's decision stands until the identity provider changes its mind.
  const same = await tokenAfterLeeway(provider, 'other', OPERATORS);
  assert.equal((await server.me(same)).body.profile.platformAdmin, false);
  await provider.person('other', { groups: [] });
  const without = await laterToken(provider, 'other', OPERATORS);
  assert.equal((await server.me(without)).body.profile.platformAdmin, false);
  await provider.person('other', { groups: [ADMINS] });
  const fresh = await laterToken(provider, 'other', OPERATORS);
  assert.equal((await server.me(fresh)).body.profile.platformAdmin, true);
});

test('a member whose tenant is taken away does not find it any more', async (t) => {
  const scene = await newScene(t);
  const { server } = scene;
  const chief = await signedIn(scene, 'chief', [ADMINS], OPERATORS);
  const member = await signedIn(scene, 'mia', ['tenant-dezky']);
  const { tenantIds } = member.profile;
  assert.equal(tenantIds.length, 1);
  const asks = [() => server.get(member.token, '/tenants/dezky'), () => server.get(member.token, '/tenants/dezky/users')];
  for (let round = 0; round < ROUNDS; round += 1) {
    const change = (ids) => () => server.patch(chief.token, `/users/${member.id}`, { tenantIds: ids });
    const taken = await changedUnderLoad(asks, change([]));
    assertAll(taken.before, 200, undefined);
    assertAll(taken.after, 404, 'not_found');
    assert.deepEqual((await server.me(member.token)).body.tenants, []);
    assert.deepEqual((await server.get(member.token, '/tenants')).body.items, []);
    assertRefused(await server.get(member.token, '/tenants/dezky'), 404, 'not_found');

    const given = await changedUnderLoad(asks, change(tenantIds));
    assertAll(given.before, 404, 'not_found');
    assertAll(given.after, 200, undefined);
  }
});
