// The client @openfeature/ofrep-web-provider with @openfeature/web-sdk, in a browser page whose
// origin differs from the server's.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { openPage, servePage } from '../support/browser.js';
import { expectedFor, newScene } from '../support/scene.js';

const BULK = '/ofrep/v1/evaluate/flags';
const STREAM = '/ofrep/v1/stream';
const CHANGED = 'PROVIDER_CONFIGURATION_CHANGED';
const STALE = 'PROVIDER_STALE';
const FLIPS = 20;
/** The milliseconds after which an expected absence of requests counts. */
const QUIET_MILLISECONDS = 1_500;

const keyOf = (secret) => [['x-api-key', secret]];

async function newPage(t) {
  const origin = await servePage(t);
  const scene = await newScene(t, { origin });
  return { ...scene, ...(await openPage(t, origin)) };
}

test('every case has the expected result', async (t) => {
  const { server, cases, page, errors } = await newPage(t);
  for (const group of groups(cases)) {
    const [{ secret, context }] = group;
    const how = { url: server.url, headers: keyOf(secret), context, cases: group };
    const answers = await page.evaluate((all) => globalThis.page.evaluate(all), how);
    for (const [index, one] of group.entries()) {
      assert.deepEqual(answers[index], expectedFor('web', one), one.name);
    }
  }
  assert.deepEqual(errors, []);
  t.diagnostic(`${cases.length} cases`);
});

/** Groups the cases by secret and context, which one client can evaluate. */
function groups(cases) {
  const all = new Map();
  for (const one of cases) {
    const how = JSON.stringify([one.secret, one.context]);
    all.set(how, [...(all.get(how) ?? []), one]);
  }
  return all.values();
}

/** Follows the flag `never` for acme and returns access to the recorded events. */
async function follow({ server, secrets, page }, headers = keyOf(secrets.acme)) {
  const how = { url: server.url, headers, context: { targetingKey: 'acme' }, flag: 'never' };
  await page.evaluate((all) => globalThis.page.watch(all), how);
  const recorded = () => page.evaluate(() => globalThis.page.events);
  /** Waits for the first event with a name at or after a time, which precedes the event's cause. */
  const next = async (name, since, milliseconds) => {
    const found = ([wanted, from]) => globalThis.page.events.find(({ event, at }) => event === wanted && at >= from);
    const handle = await page.waitForFunction(found, [name, since], { timeout: milliseconds, polling: 10 });
    return handle.jsonValue();
  };
  return { recorded, next };
}

const streams = (requests) => requests.filter(({ pathname }) => pathname === STREAM);
const evaluations = (requests) => requests.filter(({ pathname, method }) => pathname === BULK && method === 'POST');

/** Waits for the second evaluation, which the first event of the stream causes. */
async function untilStreaming(requests) {
  const end = Date.now() + 10_000;
  while (streams(requests).length === 0 || evaluations(requests).length < 2) {
    assert.ok(Date.now() < end, 'the page did not open a stream');
    await sleep(20);
  }
}

const CREDENTIALS = {
  "a tenant's key": ({ secrets }) => keyOf(secrets.acme),
  'a server key': ({ secrets }) => keyOf(secrets.server),
  "a member's token": async ({ server }) => [['authorization', `Bearer ${await server.token('member')}`]],
};
for (const [credential, headersOf] of Object.entries(CREDENTIALS)) {
  test(`a flip arrives without polling, with ${credential}`, async (t) => {
    const scene = await newPage(t);
    const { server, requests } = scene;
    const { recorded, next } = await follow(scene, await headersOf(scene));
    await untilStreaming(requests);
    const before = evaluations(requests).length;
    await sleep(QUIET_MILLISECONDS);
    assert.equal(evaluations(requests).length, before, 'no request is sent without a change');

    const times = [];
    for (let flip = 0; flip < FLIPS; flip += 1) {
      const state = flip % 2 === 0 ? 'on' : 'off';
      const { sent, acknowledged } = await server.setState('never', state);
      const { at, value, changed } = await next(CHANGED, sent, 5_000);
      assert.equal(value, state === 'on');
      assert.ok(changed.includes('never'), changed);
      times.push(at - acknowledged);
    }
    const refetched = evaluations(requests).slice(before);
    assert.equal(refetched.length, FLIPS, 'one evaluation per flip');
    assert.ok(refetched.every(({ searchParams }) => searchParams.get('flagConfigEtag')), 'each evaluation follows an event');
    assert.equal(streams(requests).length, 1, 'one stream');
    const events = (await recorded()).map(({ event }) => event);
    assert.ok(!events.includes(STALE) && !events.includes('PROVIDER_ERROR'), events.join());
    times.sort((one, other) => one - other);
    const median = times[FLIPS / 2];
    t.diagnostic(`from the acknowledgement to ${CHANGED}: median ${median} ms, slowest ${times.at(-1)} ms of ${FLIPS}`);
    // The client waits 50 ms before it fetches.
    assert.ok(median < 250, `${median} ms`);
  });
}

test("a page with a tenant's key gets no event for changes of another tenant", async (t) => {
  const scene = await newPage(t);
  const { server, requests } = scene;
  const { recorded, next } = await follow(scene);
  await untilStreaming(requests);
  const [before, events] = [evaluations(requests).length, (await recorded()).length];
  await server.ask('PATCH', '/flags/by-another-tenant', { scope: { tenantSlugs: ['globex', 'hooli'] } });
  await server.act('/tenants/globex/suspend');
  await sleep(QUIET_MILLISECONDS);
  assert.equal(evaluations(requests).length, before);
  assert.equal((await recorded()).length, events);
  // A change for the own tenant does arrive.
  const { sent } = await server.setState('never', 'on');
  assert.equal((await next(CHANGED, sent, 5_000)).value, true);
});

for (const signal of ['SIGTERM', 'SIGKILL']) {
  test(`after ${signal} and a restart of the server the page catches up and keeps following`, async (t) => {
    const scene = await newPage(t);
    const { server, requests } = scene;
    const { next } = await follow(scene);
    await untilStreaming(requests);
    const { sent } = await server.setState('never', 'on');
    assert.equal((await next(CHANGED, sent, 5_000)).value, true);

    const stopped = Date.now();
    await server.stop(signal);
    await next(STALE, stopped, 5_000);
    await server.start();
    // The page has no stream during this change.
    const missed = await server.setState('never', 'off');
    const caught = await next(CHANGED, missed.sent, 20_000);
    assert.equal(caught.value, false);
    for (const state of ['on', 'off', 'on']) {
      const { sent, acknowledged } = await server.setState('never', state);
      const { at, value } = await next(CHANGED, sent, 5_000);
      assert.equal(value, state === 'on');
      assert.ok(at - acknowledged < 1_000, `${at - acknowledged} ms`);
    }
    t.diagnostic(`caught up ${caught.at - missed.acknowledged} ms after the missed change`);
  });
}

test('a page whose key is revoked keeps its flags and gets no more changes', async (t) => {
  const scene = await newPage(t);
  const { server, requests, keys } = scene;
  const { recorded, next } = await follow(scene);
  await untilStreaming(requests);
  const { sent } = await server.setState('never', 'on');
  assert.equal((await next(CHANGED, sent, 5_000)).value, true);

  const revoked = Date.now();
  await server.ask('DELETE', `/keys/${keys.acme}`);
  await server.setState('never', 'off');
  await next(STALE, revoked, 5_000);
  // The browser reconnects after some seconds, and then the page fetches by itself.
  const end = Date.now() + 15_000;
  const refetches = evaluations(requests).length;
  while (streams(requests).length < 2 || evaluations(requests).length === refetches) {
    assert.ok(Date.now() < end, 'the page stopped retrying');
    await sleep(50);
  }
  await sleep(500);
  const since = (await recorded()).filter(({ at }) => at >= revoked);
  assert.ok(since.every(({ event, value }) => event !== CHANGED && value === true), JSON.stringify(since));
});

test('a page of an origin that is not allowed reads nothing', async (t) => {
  const named = await servePage(t);
  const { server, secrets } = await newScene(t, { origin: named });
  const { page } = await openPage(t, await servePage(t));
  const how = { url: server.url, headers: keyOf(secrets.acme), context: { targetingKey: 'acme' } };
  const cases = [{ flag: 'always', type: 'boolean', default: false }];
  const [answer] = await page.evaluate((all) => globalThis.page.evaluate(all), { ...how, cases });
  assert.equal(answer.value, false);
  assert.match(answer.failure, /request failed/i);
});
