/** The process of one contestant: loads it and answers one request of its parent at a time. */

import { verifyEverything, verifyPairs } from './agreement.mjs';
import { TASKS } from './tasks.mjs';
import { Workload } from './workload.mjs';

/** The number of flags up to which every pair is verified. */
const FEW_FLAGS = 100;
const VERIFIED_PAIRS = 16_384;

const [engineName, documentName, flagCount, tenantCount] = process.argv.slice(2);
const workload = new Workload(Number(flagCount), Number(tenantCount));
const { document: write } = await import(`./documents/${documentName}.mjs`);
const { load, runs } = await import(`./engines/${engineName}.mjs`);
const document = write(workload);
const engine = await load(document);
/** @type {Map<string, import('./tasks.mjs').Work | undefined>} */
const works = new Map();

/** @type {Record<string, (request: any) => unknown>} */
const REQUESTS = {
  runs: () => runs ?? null,
  verify: () =>
    workload.flags.length <= FEW_FLAGS
      ? verifyEverything(engine, workload)
      : verifyPairs(engine, workload, workload.pairs(VERIFIED_PAIRS)),
  prepare({ task }) {
    works.set(task, TASKS[task]({ engine, workload, load, document }));
    return works.get(task) !== undefined;
  },
  run: ({ task, repetitions }) => works.get(task)(repetitions),
};

process.on('message', async (/** @type {any} */ request) => {
  try {
    process.send({ answer: await REQUESTS[request.name](request) });
  } catch (problem) {
    process.send({ problem: problem.message });
  }
});
// Some peers keep threads alive.
process.on('disconnect', () => process.exit(0));
process.send({ answer: 'ready' });
