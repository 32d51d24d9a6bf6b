// Starts the server under test: the real binary with its own port and data.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { request } from './http.js';

const WORKSPACE = fileURLToPath(new URL('../../../../', import.meta.url));

function binary() {
  const built = process.env.CARGO_TARGET_DIR ?? join(WORKSPACE, 'target');
  const path = process.env.DEZKY_SERVER ?? join(built, 'debug', 'dezky-server');
  if (!existsSync(path)) {
    throw new Error(`${path} does not exist: run cargo build -p dezky-server --features dev, or set DEZKY_SERVER`);
  }
  return path;
}

/** Returns the environment without settings of the server, so that only arguments apply. */
function environment() {
  const isSetting = (name) => name.startsWith('DEZKY_') || name === 'AUTHENTIK_AUDIENCE';
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isSetting(name)));
}

/** Starts a server that trusts one issuer. Waits until it is ready, unless `awaits` differs. */
export async function startServer(test, { issuer, further = [], awaits = 'ready' }) {
  const data = mkdtempSync(join(tmpdir(), 'dezky-identity-provider-'));
  const settings = ['--listen', '127.0.0.1:0', '--data', data, '--log-format', 'json', '--issuer', issuer];
  // No rate limits, because all callers of a test share one address.
  const limits = ['--audience', 'dezky-portal', '--rate-limit', '0', '--failure-limit', '0'];
  const child = spawn(binary(), ['serve', ...settings, ...limits, ...further], {
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  test.after(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(data, { recursive: true, force: true });
  });
  const server = client(`http://${await addressOf(child)}`);
  if (awaits === 'ready') {
    await server.ready(15_000);
  }
  return server;
}

function addressOf(child) {
  const lines = [];
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        const found = /serving/.test(line) && /"address":"([^"]+)"/.exec(line);
        if (found) {
          resolve(found[1]);
        }
        if (lines.length < 50) {
          lines.push(line);
        }
      });
    }
    child.once('exit', (code, signal) => reject(new Error(`the server exited with ${code ?? signal}:\n${lines.join('\n')}`)));
  });
}

function client(url) {
  const call = (token, method, path, json, headers = {}) =>
    request(`${url}${path}`, { method, json, headers: token ? { authorization: `Bearer ${token}`, ...headers } : headers });
  return {
    url,
    get: (token, path) => call(token, 'GET', path),
    post: (token, path, json) => call(token, 'POST', path, json),
    patch: (token, path, json) => call(token, 'PATCH', path, json, { 'if-match': '*' }),
    me: (token) => call(token, 'GET', '/users/me'),
    /** Waits until the server is ready. */
    async ready(milliseconds) {
      const end = Date.now() + milliseconds;
      for (;;) {
        const answer = await call(undefined, 'GET', '/readyz');
        if (answer.status === 200) {
          return;
        }
        if (Date.now() > end) {
          throw new Error(`not ready in ${milliseconds} ms: ${answer.text}`);
        }
        await sleep(100);
      }
    },
  };
}
