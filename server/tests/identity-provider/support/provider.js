// Starting an identity provider, and signing in at it as a browser would.

import { fork } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { request } from './http.js';

const SCRIPT = fileURLToPath(new URL('./provider-process.js', import.meta.url));
const CALLBACK = 'https://portal.example/callback';

/** `keys`: the first one signs. `port`: that of an earlier one, to take its place. `tls`: paths of `key`, `certificate` and `ca`. */
export async function startProvider(test, { algorithm, keys, port, tls }) {
  const child = fork(SCRIPT, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let complaints = '';
  child.stderr.on('data', (chunk) => {
    complaints += chunk;
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
    throw new Error(`the identity provider does not start:\n${complaints}`);
  }
  const ca = tls && readFileSync(tls.ca);
  const awaiting = new Map();
  child.on('message', (reply) => awaiting.get(reply.done)?.(reply));
  const tell = (message) => {
    const id = randomUUID();
    child.send({ ...message, id });
    return new Promise((resolve) => awaiting.set(id, resolve));
  };
  return {
    issuer,
    port: Number(new URL(issuer).port),
    stop,
    /** Makes a person known, or changes what is known of them. */
    person: (subject, claims) => tell({ person: { subject, claims: personClaims(subject, claims) } }),
    /** How often the keys were asked for. */
    keySetRequests: async () => (await tell({})).keySetRequests,
    /** Access and ID token of a person. */
    tokens: (subject, options) => signIn(issuer, ca, subject, options),
    /** The access token of a person for an audience. */
    token: async (subject, audience, seconds) => (await signIn(issuer, ca, subject, { audience, seconds })).access_token,
  };
}

function personClaims(subject, { email = `${subject}@people.example`, name = subject, groups = [], verified = true }) {
  return { email, email_verified: verified, name, groups };
}

/** The authorization code flow with PKCE, redirect by redirect. */
async function signIn(issuer, ca, subject, { audience = 'dezky-portal', seconds = 600, nonce } = {}) {
  const clientId = audience === 'dezky-operator' ? audience : 'dezky-portal';
  const resource = `urn:dezky:${audience}:${seconds}`;
  const verifier = randomBytes(32).toString('base64url');
  const asked = new URLSearchParams({
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
    asked.set('nonce', nonce);
  }
  const code = await codeOf(`${issuer}/auth?${asked}`, asked.get('state'), ca);
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
      throw new Error(`no end of redirects, now to ${address}`);
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
  const answered = new URL(address).searchParams;
  if (!answered.get('code') || answered.get('state') !== state) {
    throw new Error(`no code: ${address}`);
  }
  return answered.get('code');
}
