/** Cold starts in new processes: medians, less the cost of a process that loads no engine. */

import { fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { environmentOf } from './field.mjs';
import { median } from './measure.mjs';
import { Workload } from './workload.mjs';

const PROCESS = fileURLToPath(new URL('cold.mjs', import.meta.url));
const NO_ENGINE = { id: 'none', engine: 'none', document: 'dezky' };

/** @typedef {import('./contestants.mjs').Contestant} Contestant */
/**
 * Nanoseconds and bytes by contestant.
 * @typedef {{ cpu: Record<string, number>, memory: Record<string, number> }} ColdStarts
 */

/**
 * Measures cold starts.
 * @param {Contestant[]} contestants @param {{ flags: number, tenants: number }} size
 * @param {number} rounds @returns {Promise<ColdStarts>}
 */
export async function coldStarts(contestants, size, rounds) {
  const folder = mkdtempSync(join(tmpdir(), 'dezky-bench-'));
  try {
    return await measure([NO_ENGINE, ...contestants], new Workload(size.flags, size.tenants), rounds, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measure(runners, workload, rounds, folder) {
  const questions = [];
  for (const runner of runners) questions.push(await writeQuestion(runner, workload, folder));
  const results = runners.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (let step = 0; step < runners.length; step++) {
      const index = (round + step) % runners.length;
      results[index].push(await run(runners[index], questions[index]));
    }
  }
  const medians = (part) => results.map((runs) => median(runs.map((result) => result[part])));
  const withoutProcess = ([process, ...others]) =>
    Object.fromEntries(others.map((figure, index) => [runners[index + 1].id, figure - process]));
  return { cpu: withoutProcess(medians('nanoseconds')), memory: withoutProcess(medians('bytes')) };
}

/** Writes the document in the format of the contestant, with the tenant and the keys. */
async function writeQuestion({ id, document: name }, workload, folder) {
  const { document } = await import(`./documents/${name}.mjs`);
  const path = join(folder, `${id}.json`);
  const keys = workload.flags.map(({ key }) => key);
  writeFileSync(path, JSON.stringify({ document: document(workload), tenant: workload.tenants[0], keys }));
  return path;
}

/** @returns {Promise<{ nanoseconds: number, bytes: number }>} */
function run(runner, question) {
  const child = fork(PROCESS, [runner.engine, question], { env: environmentOf(runner) });
  return new Promise((resolve, reject) => {
    let result;
    child.once('message', (message) => {
      result = message;
    });
    child.once('exit', (code) => {
      const hasAnswered = result !== undefined && (runner.id === NO_ENGINE.id) === (result.enabled === 0);
      if (hasAnswered) resolve(result);
      else reject(new Error(`${runner.id}: the process of its cold start exited with ${code}`));
    });
  });
}
