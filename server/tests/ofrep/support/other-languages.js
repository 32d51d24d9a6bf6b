// Clients in other languages: programs that read a scene file and count wrong results.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { newScene, writeScene } from './scene.js';

/** Defines the test that a client returns the expected result for every case. */
export function everyCase(client, program, further) {
  test('every case has the expected result', async (t) => {
    assert.ok(existsSync(program), `${program} does not exist: run.sh builds it`);
    const scene = await newScene(t);
    const folder = mkdtempSync(join(tmpdir(), `dezky-ofrep-${client}-`));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'scene.json');
    writeScene(file, client, scene);
    // Requests to the server must not use a proxy of the environment.
    const env = { ...process.env, NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1' };
    const ran = promisify(execFile)(program, [...further, file], { env, timeout: 120_000 });
    const { stdout, stderr } = await ran.catch((error) => error);
    assert.equal(stdout.trim(), `${scene.cases.length} cases, 0 wrong`, `${stdout}${stderr.split('\n').slice(0, 10).join('\n')}`);
    t.diagnostic(`${scene.cases.length} cases`);
  });
}
