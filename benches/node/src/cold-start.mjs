/** Cold starts in fresh processes: everybody's turn by turn, the median, less what a process costs that loads nothing. */

import { fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { environmentOf } from './field.mjs';
import { median } from './measure.mjs';
import { Workload } from './workload.mjs';

const PROCESS = fileURLToPath(new URL('cold.mjs', import.meta.url));
const NOBODY = { id: 'nobody', engine: 'nobody', document: 'dezky' };

/** @typedef {import('./contestants.mjs').Contestant} Contestant */
/** @typedef {{ cpu: Record<string, number>, memory: Record<string, number> }} ColdStarts nanoseconds and bytes, by contestant */

/** @param {Contestant[]} contestants @param {{ flags: number, tenants: number }} size @param {number} rounds @returns {Promise<ColdStarts>} */
export async function coldStarts(contestants, size, rounds) {
  const folder = mkdtempSync(join(tmpdir(), 'dezky-bench-'));
  try {
    return await measure([NOBODY, ...contestants], new Workload(size.flags, size.tenants), rounds, folder);
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
  const less = ([nobody, ...others]) =>
    Object.fromEntries(others.map((figure, index) => [runners[index + 1].id, figure - nobody]));
  return { cpu: less(medians('nanoseconds')), memory: less(medians('bytes')) };
}

/** The document as the contestant wants it, and whom to ask it about. */
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
      const hasAnswered = result !== undefined && (runner.id === NOBODY.id) === (result.enabled === 0);
      if (hasAnswered) resolve(result);
      else reject(new Error(`${runner.id}: its cold start ended with ${code}`));
    });
  });
}
