/** The timed tasks: short loops whose arguments vary and whose results are used. */

import { allOf } from './engine.mjs';

/** The number of pairs, a power of two, so that the next pair is cheap to find. */
const PAIRS = 1_024;

/**
 * @typedef {import('./engine.mjs').Engine} Engine
 * @typedef {import('./workload.mjs').Workload} Workload
 * @typedef {(repetitions: number) => number | Promise<number>} Work returns its nanoseconds
 * @typedef {{
 *   engine: Engine,
 *   workload: Workload,
 *   load(text: string): Engine | Promise<Engine>,
 *   document: string,
 * }} Contestant
 */

/** The sum of all results, so that no compiler can remove their computation. */
export let consumed = 0;

/** @type {Record<string, (contestant: Contestant) => Work | undefined>} */
export const TASKS = {
  /** Reads one flag of a resolved tenant. */
  resolved({ engine, workload }) {
    if (!engine.resolve) return undefined;
    const tenants = workload.tenants.map((tenant) => engine.resolve(engine.subject(tenant)));
    const { keys, others } = pairwise(workload, tenants);
    return (repetitions) => {
      let enabled = 0;
      const start = now();
      for (let turn = 0; turn < repetitions; turn++) {
        if (others[turn & (PAIRS - 1)].isEnabled(keys[turn & (PAIRS - 1)])) enabled++;
      }
      return elapsed(start, enabled);
    };
  },

  /** Evaluates one flag by name for a subject. */
  byName({ engine, workload }) {
    const { keys, others } = pairwise(workload, workload.tenants.map((tenant) => engine.subject(tenant)));
    return (repetitions) => {
      let enabled = 0;
      const start = now();
      for (let turn = 0; turn < repetitions; turn++) {
        if (engine.isEnabled(keys[turn & (PAIRS - 1)], others[turn & (PAIRS - 1)])) enabled++;
      }
      return elapsed(start, enabled);
    };
  },

  /** Evaluates and reads all flags of a tenant, tenant after tenant. */
  all({ engine, workload }) {
    const all = allOf(engine);
    const keys = workload.flags.map(({ key }) => key);
    const subjects = workload.tenants.map((tenant) => engine.subject(tenant));
    const answers = new Uint8Array(keys.length);
    let next = 0;
    return async (repetitions) => {
      let enabled = 0;
      const start = now();
      for (let turn = 0; turn < repetitions; turn++) {
        const answered = all(subjects[next], keys, answers);
        if (answered !== undefined) await answered;
        enabled += answers[turn % keys.length];
        next = next + 1 === subjects.length ? 0 : next + 1;
      }
      return elapsed(start, enabled);
    };
  },

  /** Loads a document. Release and garbage collection are not timed. */
  load({ load, document }) {
    return async (repetitions) => {
      let total = 0;
      for (let turn = 0; turn < repetitions; turn++) {
        const start = now();
        const engine = await load(document);
        total += elapsed(start, Number(engine !== undefined));
        await engine.release?.();
        globalThis.gc();
      }
      return total;
    };
  },
};

/** @template Other @param {Workload} workload @param {Other[]} byTenant */
function pairwise(workload, byTenant) {
  const pairs = workload.pairs(PAIRS);
  return {
    keys: pairs.map(([flagIndex]) => workload.flags[flagIndex].key),
    others: pairs.map(([, tenantIndex]) => byTenant[tenantIndex]),
  };
}

function now() {
  return { cpu: process.cpuUsage(), wall: process.hrtime.bigint() };
}

/**
 * Returns the smaller of CPU time and wall time in nanoseconds. CPU time includes concurrent
 * helpers of the garbage collector, and wall time includes other processes.
 * @param {ReturnType<typeof now>} start @param {number} result
 */
function elapsed(start, result) {
  const wall = Number(process.hrtime.bigint() - start.wall);
  const { user, system } = process.cpuUsage(start.cpu);
  consumed += result;
  return Math.min(wall, (user + system) * 1_000);
}
