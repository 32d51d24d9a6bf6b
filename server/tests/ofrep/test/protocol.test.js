// Every answer to every case, compared with the published document and with the needs of clients.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Rules, correctedRules, published } from '../support/document.js';
import { newScene } from '../support/scene.js';

const SINGLE = '/ofrep/v1/evaluate/flags/{key}';
const BULK = '/ofrep/v1/evaluate/flags';
/** The reasons that a server can return: OpenFeature's, without those of clients. */
const REASONS = ['STATIC', 'DEFAULT', 'TARGETING_MATCH', 'SPLIT', 'DISABLED', 'UNKNOWN'];

const rules = new Rules(correctedRules());

/** Sends a request and compares the answer with the document. */
async function ask(url, path, { secret, headers = {}, flag, body, raw }) {
  const answer = await fetch(url + path.replace('{key}', flag), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(secret && { 'x-api-key': secret }), ...headers },
    body: raw ?? JSON.stringify(body),
  });
  const text = await answer.text();
  const { status } = answer;
  const result = { status, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) };
  rules.check(path, result, `${path} ${flag ?? ''} ${raw ?? JSON.stringify(body)}`);
  if (status === 304) {
    assert.equal(text, '');
  }
  if (status >= 400) {
    assert.match(answer.headers.get('content-type'), /^application\/(problem\+)?json$/);
    assert.equal(typeof (result.body.errorDetails ?? result.body.detail), 'string', 'every refusal has a description');
  }
  if (status === 429) {
    assert.match(answer.headers.get('retry-after'), /^[1-9][0-9]*$/, 'whole seconds');
  }
  return result;
}

/** Asserts that all members are present. The document allows fewer, but some clients need all. */
function assertComplete(entry) {
  assert.deepEqual(Object.keys(entry), ['key', 'value', 'reason', 'variant', 'metadata']);
  assert.equal(typeof entry.value, 'boolean');
  assert.ok(REASONS.includes(entry.reason), entry.reason);
}

test('the document needs two corrections, and all its other rules apply', () => {
  const whole = { key: 'a', value: true, reason: 'STATIC', variant: 'on', metadata: { version: 'rev-1' } };
  // If this fails, the document has been corrected, and correctedRules() is not needed any more.
  const literally = new Rules(published());
  assert.match(literally.violations('evaluationSuccess', whole).join(), /must match exactly one schema in oneOf/);
  assert.match(literally.violations('evaluationSuccess', { ...whole, reason: 'DEFAULT' }).join(), /\/reason must be equal to one/);

  assert.deepEqual(rules.violations('evaluationSuccess', whole), []);
  for (const [broken, complaint] of [
    [{ ...whole, key: undefined }, /required property 'key'/],
    [{ ...whole, reason: undefined }, /required property 'reason'/],
    [{ ...whole, reason: 'OFF' }, /\/reason must be equal/],
    [{ ...whole, variant: 1 }, /\/variant must be string/],
    [{ ...whole, metadata: { scope: {} } }, /\/metadata\/scope must match exactly one/],
  ]) {
    assert.match(rules.violations('evaluationSuccess', JSON.parse(JSON.stringify(broken))).join(), complaint);
  }
  assert.match(rules.violations('evaluationFailure', { key: 'a', errorCode: 'FLAG_NOT_FOUND' }).join(), /\/errorCode must be equal/);
  const streams = (stream) => rules.violations('bulkEvaluationSuccess', { flags: [], eventStreams: [stream] }).join();
  assert.equal(streams({ type: 'sse', endpoint: { requestUri: '/stream' } }), '');
  assert.notEqual(streams({ type: 'sse' }), '');
  assert.notEqual(streams({ type: 'sse', url: 'https://a.example/', endpoint: { requestUri: '/stream' } }), '');
  assert.notEqual(streams({ type: 'sse', endpoint: { requestUri: 'stream' } }), '');
});

test('every case has the expected answer for one flag', async (t) => {
  const { server, cases } = await newScene(t);
  for (const { name, secret, context, flag, status, expected } of cases) {
    const answer = await ask(server.url, SINGLE, { secret, flag, body: { context } });
    assert.equal(answer.status, status, name);
    if (status === 200) {
      assertComplete(answer.body);
      assert.equal(answer.body.key, flag);
    }
    if (status === 400 || status === 404) {
      assert.deepEqual([answer.body.key, answer.body.errorCode], [flag, expected.errorCode], name);
    }
    if (!expected.errorCode) {
      const { key, ...rest } = answer.body;
      assert.deepEqual(rest, expected, name);
    }
  }
  t.diagnostic(`${cases.length} answers`);
});

test('every case has the expected answer for all flags', async (t) => {
  const { server, cases } = await newScene(t);
  let answers = 0;
  for (const [how, group] of groups(cases)) {
    const { secret, context } = JSON.parse(how);
    const body = { context };
    const answer = await ask(server.url, BULK, { secret, body });
    answers += 1;
    // An error of a single flag does not affect the bulk request.
    const { status, expected } = group.find((one) => one.status !== 404) ?? { status: 200 };
    assert.equal(answer.status, status, how);
    if (status !== 200) {
      if (status === 400) {
        assert.equal(answer.body.errorCode, expected.errorCode);
      }
      continue;
    }
    const flags = new Map(answer.body.flags.map((entry) => [entry.key, entry]));
    answer.body.flags.forEach(assertComplete);
    for (const one of group.filter((one) => !one.expected.errorCode)) {
      const { key, ...rest } = flags.get(one.flag);
      assert.deepEqual(rest, one.expected, one.name);
    }
    assert.deepEqual(answer.body.eventStreams.map(({ type }) => type), ['sse']);
    const etag = answer.headers.get('etag');
    assert.equal((await ask(server.url, BULK, { secret, body, headers: { 'if-none-match': etag } })).status, 304);
    const refetch = await ask(`${server.url}`, BULK, { secret, body, headers: { 'if-none-match': '"another"' } });
    assert.deepEqual([refetch.status, refetch.headers.get('etag')], [200, etag]);
    answers += 2;
  }
  t.diagnostic(`${answers} answers`);
});

function groups(cases) {
  const all = new Map();
  for (const one of cases) {
    const how = JSON.stringify({ secret: one.secret, context: one.context });
    all.set(how, [...(all.get(how) ?? []), one]);
  }
  return all;
}

test('malformed requests are refused', async (t) => {
  const { server, secrets } = await newScene(t);
  const secret = secrets.server;
  for (const [sent, errorCode] of [
    [{ raw: '{' }, 'PARSE_ERROR'],
    [{ raw: '' }, 'PARSE_ERROR'],
    [{ raw: '[]' }, 'PARSE_ERROR'],
    [{ raw: '{"context":{},"context":{}}' }, 'PARSE_ERROR'],
    [{ body: {} }, 'TARGETING_KEY_MISSING'],
    [{ body: { context: null } }, 'TARGETING_KEY_MISSING'],
    [{ body: { context: { targetingKey: '' } } }, 'TARGETING_KEY_MISSING'],
    [{ body: { context: { targetingKey: null } } }, 'TARGETING_KEY_MISSING'],
    [{ body: { context: { targetingKey: 7 } } }, 'INVALID_CONTEXT'],
    [{ body: { context: 'acme' } }, 'INVALID_CONTEXT'],
    [{ body: { context: { targetingKey: 'acme', environment: 7 } } }, 'INVALID_CONTEXT'],
    [{ body: { context: { targetingKey: 'x'.repeat(1_000) } } }, 'INVALID_CONTEXT'],
    [{ raw: '{"context":{"targetingKey":"acme"}}', headers: { 'content-type': 'text/plain' } }, 'PARSE_ERROR'],
  ]) {
    for (const path of [SINGLE, BULK]) {
      const answer = await ask(server.url, path, { secret, flag: 'always', ...sent });
      assert.deepEqual([answer.status, answer.body.errorCode], [400, errorCode], JSON.stringify(sent));
    }
  }
  for (const path of [SINGLE, BULK]) {
    assert.equal((await ask(server.url, path, { flag: 'always', body: { context: { targetingKey: 'acme' } } })).status, 401);
    // Unknown members of the context are allowed.
    const context = { targetingKey: 'acme', environment: 'production', plan: 'free', email: 'ann@acme.example', nested: { list: [1, null] } };
    assert.equal((await ask(server.url, path, { secret, flag: 'by-plan', body: { context, more: true } })).status, 200);
  }
});

test('an existing and an unknown tenant are refused with the same answer', async (t) => {
  const { server, secrets } = await newScene(t);
  for (const path of [SINGLE, BULK]) {
    const refused = async (targetingKey) => {
      const { status, body } = await ask(server.url, path, { secret: secrets.acme, flag: 'always', body: { context: { targetingKey } } });
      return { status, ...body, requestId: undefined };
    };
    assert.deepEqual(await refused('hooli'), await refused('nobody'));
    assert.equal((await refused('hooli')).status, 403);
  }
});

test('too many requests get 429', async (t) => {
  const { server, secrets } = await newScene(t, { rate: 200 });
  for (const path of [SINGLE, BULK]) {
    const one = () => ask(server.url, path, { secret: secrets.acme, flag: 'always', body: { context: { targetingKey: 'acme' } } });
    const statuses = new Set();
    const end = Date.now() + 10_000;
    while (!statuses.has(429) && Date.now() < end) {
      (await Promise.all(Array.from({ length: 400 }, one))).forEach(({ status }) => statuses.add(status));
    }
    assert.ok(statuses.has(429));
  }
});

test('the events of a stream announce each change', async (t) => {
  const { server, secrets } = await newScene(t);
  const all = () => ask(server.url, BULK, { secret: secrets.acme, body: { context: { targetingKey: 'acme' } } });
  const { requestUri } = (await all()).body.eventStreams[0].endpoint;
  assert.ok(!requestUri.includes(secrets.acme));
  const stream = await fetch(server.url + requestUri, { headers: { accept: 'text/event-stream' } });
  assert.deepEqual([stream.status, stream.headers.get('content-type')], [200, 'text/event-stream']);
  const events = eventsOf(stream);
  const ids = [];
  for (const change of [undefined, 'on', 'off']) {
    if (change) {
      await server.setState('never', change);
    }
    const { value: event } = await events.next();
    assert.deepEqual(rules.violations('sseEvent', event), []);
    assert.equal(event.event, 'message');
    const data = JSON.parse(event.data);
    assert.deepEqual(rules.violations('sseEventData', data), []);
    assert.equal(data.type, 'refetchEvaluation');
    // The request that a client sends after the event.
    const query = new URLSearchParams({ flagConfigEtag: data.etag, flagConfigLastModified: '1771622898' });
    const refetched = await fetch(`${server.url}${BULK}?${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': secrets.acme },
      body: JSON.stringify({ context: { targetingKey: 'acme' } }),
    });
    const never = (await refetched.json()).flags.find(({ key }) => key === 'never');
    assert.equal(never.value, change === 'on');
    ids.push(Number(event.id));
  }
  assert.ok(ids[0] < ids[1] && ids[1] < ids[2], ids.join());
  await events.return();
  assert.equal((await fetch(`${server.url}${requestUri.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))}`)).status, 401);
});

/** Yields the fields of each event and skips comments. */
async function* eventsOf(answer) {
  let text = '';
  for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
    const blocks = (text + chunk).split('\n\n');
    text = blocks.pop();
    for (const block of blocks) {
      const fields = block.split('\n').filter((line) => !line.startsWith(':')).map((line) => /^(\w+): (.*)$/.exec(line).slice(1));
      if (fields.length > 0) {
        yield Object.fromEntries(fields.map(([name, value]) => [name, name === 'retry' ? Number(value) : value]));
      }
    }
  }
}
