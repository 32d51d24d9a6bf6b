// The server under test: the real binary with sample data and the dev identity provider.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const WORKSPACE = fileURLToPath(new URL('../../../../', import.meta.url));

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

/**
 * Starts a server that ends with the test. `origin` may send requests from pages. `rate` limits the
 * requests per second. The default is no limit.
 */
export async function startServer(test, { origin, rate = 0 } = {}) {
  const data = mkdtempSync(join(tmpdir(), 'dezky-ofrep-'));
  const settings = ['--data', data, '--rate-limit', String(rate), '--failure-limit', '0', '--log-format', 'json'];
  const server = new Server([...settings, ...(origin ? ['--origin', origin] : [])]);
  test.after(async () => {
    await server.stop('SIGKILL');
    rmSync(data, { recursive: true, force: true });
  });
  await server.start(0);
  return server;
}

class Server {
  #arguments;
  #child;
  #operator;

  constructor(settings) {
    this.#arguments = settings;
  }

  /** Starts the server at a port. The default is the port of its last start. */
  async start(port = new URL(this.url).port) {
    const child = spawn(binary(), ['serve', '--dev', '--listen', `127.0.0.1:${port}`, ...this.#arguments], {
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.url = `http://${await addressOf(child)}`;
    this.#operator = await this.token('operator');
  }

  async stop(signal = 'SIGTERM') {
    const child = this.#child;
    if (child && child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      await once(child, 'exit');
    }
  }

  /** Returns an access token of a persona. */
  async token(persona) {
    const answer = await fetch(`${this.url}/dev/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ persona }),
    });
    return (await answer.json()).access_token;
  }

  /** Sends a request as an operator, for any version. It must succeed. */
  async ask(method, path, json) {
    const answer = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#operator}`,
        ...(method === 'GET' || method === 'POST' ? {} : { 'if-match': '*' }),
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: json === undefined ? undefined : JSON.stringify(json),
    });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  /** Sends a POST with `If-Match`, for example to kill a flag or to suspend a tenant. */
  async act(path) {
    const answer = await fetch(`${this.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.#operator}`, 'if-match': '*' },
    });
    assert.ok(answer.ok, `POST ${path}: ${answer.status} ${await answer.text()}`);
  }

  /** Sets the state of a flag. Returns the times of the request and of its acknowledgement. */
  async setState(flag, state) {
    const sent = Date.now();
    await this.ask('PATCH', `/flags/${flag}`, { state });
    return { sent, acknowledged: Date.now() };
  }
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
