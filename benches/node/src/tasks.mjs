/** What everybody is timed at: loops that are as short as possible, whose arguments vary and whose results are used. */

import { allOf } from './engine.mjs';

/** A power of two, so that taking the next pair costs next to nothing. */
const PAIRS = 1_024;

/**
 * @typedef {import('./engine.mjs').Engine} Engine
 * @typedef {import('./workload.mjs').Workload} Workload
 * @typedef {(repetitions: number) => number | Promise<number>} Work gives the nanoseconds that it took
 * @typedef {{ engine: Engine, workload: Workload, load(text: string): Engine | Promise<Engine>, document: string }} Contestant
 */

/** Where results go, so that no compiler can leave their computation out. */
export let consumed = 0;

/** @type {Record<string, (contestant: Contestant) => Work | undefined>} */
export const TASKS = {
  /** A flag of a tenant that was resolved before. */
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
      return took(start, enabled);
    };
  },

  /** A flag by name for a subject. */
  byName({ engine, workload }) {
    const { keys, others } = pairwise(workload, workload.tenants.map((tenant) => engine.subject(tenant)));
    return (repetitions) => {
      let enabled = 0;
      const start = now();
      for (let turn = 0; turn < repetitions; turn++) {
        if (engine.isEnabled(keys[turn & (PAIRS - 1)], others[turn & (PAIRS - 1)])) enabled++;
      }
      return took(start, enabled);
    };
  },

  /** All flags of a tenant, each of them read, tenant after tenant. */
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
      return took(start, enabled);
    };
  },

  /** From the text of a document to ready; what is loaded is given back, and its garbage collected, outside the time. */
  load({ load, document }) {
    return async (repetitions) => {
      let total = 0;
      for (let turn = 0; turn < repetitions; turn++) {
        const start = now();
        const engine = await load(document);
        total += took(start, Number(engine !== undefined));
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
 * The smaller of the CPU time of the process and the time on the wall: the first counts the helpers of the garbage collector,
 * for which nobody waits, the second counts the turns of neighbours.
 * @param {ReturnType<typeof now>} start @param {number} result
 */
function took(start, result) {
  const wall = Number(process.hrtime.bigint() - start.wall);
  const { user, system } = process.cpuUsage(start.cpu);
  consumed += result;
  return Math.min(wall, (user + system) * 1_000);
}
