// The client @openfeature/ofrep-provider with @openfeature/server-sdk.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { OFREPProvider } from '@openfeature/ofrep-provider';
import { OpenFeature } from '@openfeature/server-sdk';

import { expectedFor, newScene } from '../support/scene.js';
import { methodFor, resultOf } from '../support/results.js';

/** Creates a client that sends its key in a header. */
async function clientWith(url, secret, header = 'authorization') {
  const provider = new OFREPProvider({ baseUrl: url, headers: [[header, header === 'authorization' ? `Bearer ${secret}` : secret]] });
  const domain = `${url} ${secret} ${header}`;
  await OpenFeature.setProviderAndWait(domain, provider);
  return OpenFeature.getClient(domain);
}

test('every case has the expected result with either header', async (t) => {
  const { server, cases } = await newScene(t);
  t.after(() => OpenFeature.clearProviders());
  for (const header of ['authorization', 'x-api-key']) {
    for (const one of cases) {
      const client = await clientWith(server.url, one.secret, header);
      const details = await client[methodFor(one.type)](one.flag, one.default, one.context);
      assert.deepEqual(resultOf(details), expectedFor('node', one), `${one.name}, in ${header}`);
    }
  }
  t.diagnostic(`${cases.length} cases, with either header`);
});

test('acknowledged changes are visible in the next answer', async (t) => {
  const { server, secrets } = await newScene(t);
  t.after(() => OpenFeature.clearProviders());
  const client = await clientWith(server.url, secrets.acme);
  for (const state of ['on', 'off', 'on', 'off', 'on']) {
    await server.setState('never', state);
    assert.equal(await client.getBooleanValue('never', state !== 'on', { targetingKey: 'acme' }), state === 'on');
  }
  await server.act('/flags/never/kill');
  const { value, flagMetadata } = await client.getBooleanDetails('never', true, { targetingKey: 'acme' });
  assert.deepEqual([value, flagMetadata.killSwitch], [false, true]);
});

test('after a 429 the client waits for the given time', async (t) => {
  const { server, secrets } = await newScene(t, { rate: 200 });
  t.after(() => OpenFeature.clearProviders());
  const client = await clientWith(server.url, secrets.acme);
  const ask = () => client.getBooleanDetails('always', false, { targetingKey: 'acme' });
  const messages = [];
  const end = Date.now() + 10_000;
  while (!messages.some((message) => /paused due to TooManyRequests until/.test(message)) && Date.now() < end) {
    const answers = await Promise.all(Array.from({ length: 400 }, ask));
    messages.push(...answers.flatMap(({ errorMessage = [] }) => errorMessage));
  }
  assert.ok(messages.some((message) => /^rate limit exceeded, try again after /.test(message)), messages[0]);
  const until = /until (\S+)$/.exec(messages.at(-1));
  assert.ok(until, messages.at(-1));
  await new Promise((resolve) => setTimeout(resolve, new Date(until[1]).getTime() - Date.now() + 20));
  assert.equal((await ask()).value, true);
});
