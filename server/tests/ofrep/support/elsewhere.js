// Clients in other languages: programs that are given the scene as a file, ask it all, and say how many answers were wrong.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { newScene, write } from './scene.js';

/** The test that a client shows every case as it is known to. */
export function everyCase(client, program, further) {
  test('every case', async (t) => {
    assert.ok(existsSync(program), `there is no ${program}: run.sh makes it`);
    const scene = await newScene(t);
    const folder = mkdtempSync(join(tmpdir(), `dezky-ofrep-${client}-`));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'scene.json');
    write(file, client, scene);
    // A proxy of the environment would be asked for the server.
    const env = { ...process.env, NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1' };
    const ran = promisify(execFile)(program, [...further, file], { env, timeout: 120_000 });
    const { stdout, stderr } = await ran.catch((error) => error);
    assert.equal(stdout.trim(), `${scene.cases.length} cases, 0 wrong`, `${stdout}${stderr.split('\n').slice(0, 10).join('\n')}`);
    t.diagnostic(`${scene.cases.length} cases`);
  });
}
