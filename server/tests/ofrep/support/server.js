// The server under test: the real binary, with sample data and an identity provider of its own, and what an operator does to it.

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
    throw new Error(`there is no ${path}: cargo build -p dezky-server --features dev, or say where it is in DEZKY_SERVER`);
  }
  return path;
}

/** Its settings come from the arguments alone, whatever the environment says. */
function environment() {
  const isSetting = (name) => name.startsWith('DEZKY_') || name === 'AUTHENTIK_AUDIENCE';
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isSetting(name)));
}

/** A server that ends with the test. `origin`: whose pages may ask it. `rate`: requests a second, without limit unless given. */
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

  /** Starts it, at a port: its own from before, if not told otherwise. */
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

  /** The access token of one of the people whom its identity provider knows. */
  async token(persona) {
    const answer = await fetch(`${this.url}/dev/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ persona }),
    });
    return (await answer.json()).access_token;
  }

  /** Asks as an operator, for whatever version is there; fails where that is refused. */
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

  /** Kills a flag, suspends a tenant and so on: a POST that says which version it means. */
  async act(path) {
    const answer = await fetch(`${this.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.#operator}`, 'if-match': '*' },
    });
    assert.ok(answer.ok, `POST ${path}: ${answer.status} ${await answer.text()}`);
  }

  /** Sets the state of a flag; when the server has acknowledged it. */
  async setState(flag, state) {
    await this.ask('PATCH', `/flags/${flag}`, { state });
    return Date.now();
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
    child.once('exit', (code, signal) => reject(new Error(`the server ended with ${code ?? signal}:\n${lines.join('\n')}`)));
  });
}
