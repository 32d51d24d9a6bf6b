// An identity provider behind TLS, with a certificate of a private root.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { newKey } from '../support/keys.js';
import { startProvider } from '../support/provider.js';
import { assertRefused } from '../support/scene.js';
import { startServer } from '../support/server.js';

/** Creates two roots, and a certificate of the first one for 127.0.0.1. */
function certificates(test) {
  const folder = mkdtempSync(join(tmpdir(), 'dezky-private-root-'));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name) => join(folder, name);
  const openssl = (...options) => execFileSync('openssl', options, { stdio: 'pipe' });
  const newKeyPair = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const root = (name) =>
    openssl('req', '-x509', ...newKeyPair, '-keyout', file(`${name}.key`), '-out', file(`${name}.pem`), '-days', '2', '-subj', `/CN=${name}`);
  root('root');
  root('other-root');
  openssl('req', ...newKeyPair, '-keyout', file('leaf.key'), '-out', file('leaf.csr'), '-subj', '/CN=127.0.0.1');
  writeFileSync(file('leaf.cnf'), 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n');
  const signer = ['-CA', file('root.pem'), '-CAkey', file('root.key'), '-CAcreateserial'];
  openssl('x509', '-req', '-in', file('leaf.csr'), ...signer, '-days', '2', '-extfile', file('leaf.cnf'), '-out', file('leaf.pem'));
  return { key: file('leaf.key'), certificate: file('leaf.pem'), ca: file('root.pem'), otherCa: file('other-root.pem') };
}

test('a private root is trusted only if it is configured', async (t) => {
  const tls = certificates(t);
  const provider = await startProvider(t, { algorithm: 'RS256', keys: [newKey('RS256')], tls });
  assert.match(provider.issuer, /^https:/);
  await provider.person('ann', {});
  const token = await provider.token('ann');

  const trusting = await startServer(t, { issuer: provider.issuer, further: ['--extra-ca', tls.ca] });
  assert.equal((await trusting.me(token)).status, 200);

  for (const further of [[], ['--extra-ca', tls.otherCa]]) {
    const server = await startServer(t, { issuer: provider.issuer, further, awaits: 'nothing' });
    const unready = await readinessAfterAttempt(server);
    assertRefused(unready, 503, 'not_ready');
    assert.match(unready.body.detail, /certificate/i);
    assertRefused(await server.me(token), 503, 'keys_unavailable');
  }
});

/** Returns the readiness after the first attempt to fetch the keys. */
async function readinessAfterAttempt(server) {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const answer = await server.get(undefined, '/readyz');
    if (!/no attempt has finished/.test(answer.body.detail)) {
      return answer;
    }
    await sleep(100);
  }
  throw new Error('the keys were never requested');
}
