// @openfeature/ofrep-web-provider with @openfeature/web-sdk, in a browser, in a page of another origin than the server's.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { openPage, servePage } from '../support/browser.js';
import { asShownBy, newScene } from '../support/scene.js';

const BULK = '/ofrep/v1/evaluate/flags';
const STREAM = '/ofrep/v1/stream';
const CHANGED = 'PROVIDER_CONFIGURATION_CHANGED';
const STALE = 'PROVIDER_STALE';
const FLIPS = 20;
/** Long enough for whatever would happen to happen. */
const A_WHILE = 1_500;

const keyOf = (secret) => [['x-api-key', secret]];

async function newPage(t) {
  const origin = await servePage(t);
  const scene = await newScene(t, { origin });
  return { ...scene, ...(await openPage(t, origin)) };
}

test('every case', async (t) => {
  const { server, cases, page, said } = await newPage(t);
  for (const group of groups(cases)) {
    const [{ secret, context }] = group;
    const how = { url: server.url, headers: keyOf(secret), context, cases: group };
    const answers = await page.evaluate((all) => globalThis.page.evaluate(all), how);
    for (const [index, one] of group.entries()) {
      assert.deepEqual(answers[index], asShownBy('web', one), one.name);
    }
  }
  assert.deepEqual(said, []);
  t.diagnostic(`${cases.length} cases`);
});

/** Cases that one page can ask together. */
function groups(cases) {
  const all = new Map();
  for (const one of cases) {
    const how = JSON.stringify([one.secret, one.context]);
    all.set(how, [...(all.get(how) ?? []), one]);
  }
  return all.values();
}

/** Follows the flag `never` for acme, and gives what there is to see of that. */
async function follow({ server, secrets, page }, headers = keyOf(secrets.acme)) {
  const how = { url: server.url, headers, context: { targetingKey: 'acme' }, flag: 'never' };
  await page.evaluate((all) => globalThis.page.watch(all), how);
  const heard = () => page.evaluate(() => globalThis.page.heard);
  /** The first event of this name at or after a time. */
  const next = async (name, since, milliseconds) => {
    const found = ([wanted, from]) => globalThis.page.heard.find(({ event, at }) => event === wanted && at >= from);
    const handle = await page.waitForFunction(found, [name, since], { timeout: milliseconds, polling: 10 });
    return handle.jsonValue();
  };
  return { heard, next };
}

const streams = (asked) => asked.filter(({ pathname }) => pathname === STREAM);
const evaluations = (asked) => asked.filter(({ pathname, method }) => pathname === BULK && method === 'POST');

/** The stream is open as soon as its first event made the page ask for the second time. */
async function untilStreaming(asked) {
  const end = Date.now() + 10_000;
  while (streams(asked).length === 0 || evaluations(asked).length < 2) {
    assert.ok(Date.now() < end, 'the page opens no stream');
    await sleep(20);
  }
}

const CREDENTIALS = {
  "a tenant's key": ({ secrets }) => keyOf(secrets.acme),
  'a server key': ({ secrets }) => keyOf(secrets.server),
  "a member's token": async ({ server }) => [['authorization', `Bearer ${await server.token('member')}`]],
};
for (const [credential, headersOf] of Object.entries(CREDENTIALS)) {
  test(`a flip is seen without polling, with ${credential}`, async (t) => {
    const scene = await newPage(t);
    const { server, asked } = scene;
    const { heard, next } = await follow(scene, await headersOf(scene));
    await untilStreaming(asked);
    const before = evaluations(asked).length;
    await sleep(A_WHILE);
    assert.equal(evaluations(asked).length, before, 'nothing is asked for while nothing happens');

    const times = [];
    for (let flip = 0; flip < FLIPS; flip += 1) {
      const state = flip % 2 === 0 ? 'on' : 'off';
      const acknowledged = await server.setState('never', state);
      const { at, value, changed } = await next(CHANGED, acknowledged, 5_000);
      assert.equal(value, state === 'on');
      assert.ok(changed.includes('never'), changed);
      times.push(at - acknowledged);
    }
    const refetched = evaluations(asked).slice(before);
    assert.equal(refetched.length, FLIPS, 'one evaluation for each flip');
    assert.ok(refetched.every(({ searchParams }) => searchParams.get('flagConfigEtag')), 'each because of an event');
    assert.equal(streams(asked).length, 1, 'over one stream');
    const events = (await heard()).map(({ event }) => event);
    assert.ok(!events.includes(STALE) && !events.includes('PROVIDER_ERROR'), events.join());
    times.sort((one, other) => one - other);
    const median = times[FLIPS / 2];
    t.diagnostic(`from the acknowledgement to ${CHANGED}: median ${median} ms, slowest ${times.at(-1)} ms of ${FLIPS}`);
    // It waits 50 ms of its own before it asks.
    assert.ok(median < 250, `${median} ms`);
  });
}

test("a page with a tenant's key hears nothing of what concerns another tenant alone", async (t) => {
  const scene = await newPage(t);
  const { server, asked } = scene;
  const { heard, next } = await follow(scene);
  await untilStreaming(asked);
  const [before, events] = [evaluations(asked).length, (await heard()).length];
  await server.ask('PATCH', '/flags/by-another-tenant', { scope: { tenantSlugs: ['globex', 'hooli'] } });
  await server.act('/tenants/globex/suspend');
  await sleep(A_WHILE);
  assert.equal(evaluations(asked).length, before);
  assert.equal((await heard()).length, events);
  // And it would have heard.
  const acknowledged = await server.setState('never', 'on');
  assert.equal((await next(CHANGED, acknowledged, 5_000)).value, true);
});

for (const signal of ['SIGTERM', 'SIGKILL']) {
  test(`after ${signal} and a new start of the server the page catches up and goes on following`, async (t) => {
    const scene = await newPage(t);
    const { server, asked } = scene;
    const { next } = await follow(scene);
    await untilStreaming(asked);
    const before = await server.setState('never', 'on');
    assert.equal((await next(CHANGED, before, 5_000)).value, true);

    const stopped = Date.now();
    await server.stop(signal);
    await next(STALE, stopped, 5_000);
    await server.start();
    // Nobody told the page of this one.
    const missed = await server.setState('never', 'off');
    const caught = await next(CHANGED, missed, 20_000);
    assert.equal(caught.value, false);
    for (const state of ['on', 'off', 'on']) {
      const acknowledged = await server.setState('never', state);
      const { at, value } = await next(CHANGED, acknowledged, 5_000);
      assert.equal(value, state === 'on');
      assert.ok(at - acknowledged < 1_000, `${at - acknowledged} ms`);
    }
    t.diagnostic(`caught up ${caught.at - missed} ms after the change that it missed`);
  });
}

test('a page whose key is revoked keeps what it had, and learns nothing more', async (t) => {
  const scene = await newPage(t);
  const { server, asked, keys } = scene;
  const { heard, next } = await follow(scene);
  await untilStreaming(asked);
  const before = await server.setState('never', 'on');
  assert.equal((await next(CHANGED, before, 5_000)).value, true);

  const revoked = Date.now();
  await server.ask('DELETE', `/keys/${keys.acme}`);
  await server.setState('never', 'off');
  await next(STALE, revoked, 5_000);
  // The browser connects anew after some seconds, and then the page asks by itself.
  const end = Date.now() + 15_000;
  const refetches = evaluations(asked).length;
  while (streams(asked).length < 2 || evaluations(asked).length === refetches) {
    assert.ok(Date.now() < end, 'the page gave up');
    await sleep(50);
  }
  await sleep(500);
  const since = (await heard()).filter(({ at }) => at >= revoked);
  assert.ok(since.every(({ event, value }) => event !== CHANGED && value === true), JSON.stringify(since));
});

test('a page of an origin that was not named reads nothing', async (t) => {
  const named = await servePage(t);
  const { server, secrets } = await newScene(t, { origin: named });
  const { page } = await openPage(t, await servePage(t));
  const how = { url: server.url, headers: keyOf(secrets.acme), context: { targetingKey: 'acme' } };
  const cases = [{ flag: 'always', type: 'boolean', default: false }];
  const [answer] = await page.evaluate((all) => globalThis.page.evaluate(all), { ...how, cases });
  assert.equal(answer.value, false);
  assert.match(answer.failure, /request failed/i);
});
