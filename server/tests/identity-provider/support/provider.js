// Starts an identity provider and signs users in like a browser.

import { fork } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { request } from './http.js';

const SCRIPT = fileURLToPath(new URL('./provider-process.js', import.meta.url));
const CALLBACK = 'https://portal.example/callback';

/**
 * Starts a provider.
 *
 * The first of the `keys` signs. `port` can be that of an earlier provider, to replace it. `tls`
 * has the paths of `key`, `certificate` and `ca`.
 */
export async function startProvider(test, { algorithm, keys, port, tls }) {
  const child = fork(SCRIPT, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  };
  test.after(stop);
  child.send({ start: { algorithm, keys, port, tls } });
  const started = once(child, 'message').then(([message]) => message.started);
  const failed = once(child, 'exit').then(() => undefined);
  const issuer = await Promise.race([started, failed]);
  if (!issuer) {
    throw new Error(`the identity provider did not start:\n${stderr}`);
  }
  const ca = tls && readFileSync(tls.ca);
  const pending = new Map();
  child.on('message', (reply) => pending.get(reply.done)?.(reply));
  const send = (message) => {
    const id = randomUUID();
    child.send({ ...message, id });
    return new Promise((resolve) => pending.set(id, resolve));
  };
  return {
    issuer,
    port: Number(new URL(issuer).port),
    stop,
    /** Creates or changes a user. */
    person: (subject, claims) => send({ person: { subject, claims: personClaims(subject, claims) } }),
    /** Returns the number of requests for the keys. */
    keySetRequests: async () => (await send({})).keySetRequests,
    /** Returns the access token and the ID token of a user. */
    tokens: (subject, options) => signIn(issuer, ca, subject, options),
    /** Returns the access token of a user for an audience. */
    token: async (subject, audience, seconds) => (await signIn(issuer, ca, subject, { audience, seconds })).access_token,
  };
}

function personClaims(subject, { email = `${subject}@people.example`, name = subject, groups = [], verified = true }) {
  return { email, email_verified: verified, name, groups };
}

/** Runs the authorization code flow with PKCE, redirect by redirect. */
async function signIn(issuer, ca, subject, { audience = 'dezky-portal', seconds = 600, nonce } = {}) {
  const clientId = audience === 'dezky-operator' ? audience : 'dezky-portal';
  const resource = `urn:dezky:${audience}:${seconds}`;
  const verifier = randomBytes(32).toString('base64url');
  const parameters = new URLSearchParams({
    client_id: clientId,
    response_type: 'code',
    redirect_uri: CALLBACK,
    scope: 'openid api',
    resource,
    login_hint: subject,
    state: randomUUID(),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  if (nonce) {
    parameters.set('nonce', nonce);
  }
  const code = await codeOf(`${issuer}/auth?${parameters}`, parameters.get('state'), ca);
  const form = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: clientId,
    redirect_uri: CALLBACK,
    code,
    code_verifier: verifier,
    resource,
  });
  const answer = await request(`${issuer}/token`, { method: 'POST', form, ca });
  if (answer.status !== 200) {
    throw new Error(`no token: ${answer.status} ${answer.text}`);
  }
  return answer.body;
}

async function codeOf(start, state, ca) {
  const cookies = new Map();
  let address = start;
  for (let hops = 0; !address.startsWith(CALLBACK); hops += 1) {
    if (hops === 10) {
      throw new Error(`too many redirects, the last to ${address}`);
    }
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await request(address, { headers: { cookie }, ca });
    if (!answer.headers.location) {
      throw new Error(`no redirect from ${address}: ${answer.status} ${answer.text}`);
    }
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      cookies.set(name, value);
    }
    address = new URL(answer.headers.location, address).href;
  }
  const result = new URL(address).searchParams;
  if (!result.get('code') || result.get('state') !== state) {
    throw new Error(`no code: ${address}`);
  }
  return result.get('code');
}
