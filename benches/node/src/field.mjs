/** All contestants, each in its own process with the same workload, driven round by round. */

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { interleaved } from './measure.mjs';

const WORKER = fileURLToPath(new URL('worker.mjs', import.meta.url));

/** @typedef {import('./contestants.mjs').Contestant} Contestant */
/** @typedef {Record<string, Record<string, number>>} Measured nanoseconds by task and contestant */

/** Returns the environment of a contestant: production, without options that change Node. */
export function environmentOf(contestant) {
  const { NODE_OPTIONS, NODE_COMPILE_CACHE, DEZKY_ENGINE, ...environment } = process.env;
  return { ...environment, NODE_ENV: 'production', BENCH_PACKAGE_ENTRY: contestant.entry ?? '' };
}

export class Field {
  #workers;

  /** @param {Worker[]} workers */
  constructor(workers) {
    this.#workers = workers;
  }

  /** @param {Contestant[]} contestants @param {{ flags: number, tenants: number }} size */
  static async open(contestants, size) {
    const field = new Field([]);
    try {
      for (const contestant of contestants) {
        const worker = new Worker(contestant, size);
        field.#workers.push(worker);
        await worker.answer();
      }
      return field;
    } catch (problem) {
      field.close();
      throw problem;
    }
  }

  /** Checks all contestants by the scope rule. Dezky must also equal the plain baseline. */
  async verify() {
    const answers = new Map();
    for (const worker of this.#workers) {
      const { id, kind } = worker.contestant;
      const runs = await worker.ask({ name: 'runs' });
      if (runs !== null && runs !== id) throw new Error(`${id}: the running engine is ${runs}`);
      answers.set(id, await worker.ask({ name: 'verify' }));
      const isExact = kind === 'ours' || kind === 'plain';
      if (isExact && answers.get(id) !== answers.get('plain')) throw new Error(`${id} and plain JS differ`);
    }
  }

  /**
   * @param {string[]} tasks @param {import('./measure.mjs').Effort} effort
   * @returns {Promise<Measured>}
   */
  async measure(tasks, effort) {
    const prepared = [];
    for (const task of tasks) {
      const capable = [];
      for (const worker of this.#workers) {
        if (await worker.ask({ name: 'prepare', task })) capable.push(worker);
      }
      prepared.push(capable);
    }
    const works = prepared.map((capable, index) =>
      capable.map((worker) => (repetitions) => worker.ask({ name: 'run', task: tasks[index], repetitions })),
    );
    const measured = await interleaved(works, effort);
    const byContestant = measured.map((figures, index) =>
      Object.fromEntries(figures.map((figure, position) => [prepared[index][position].contestant.id, figure])),
    );
    return Object.fromEntries(tasks.map((task, index) => [task, byContestant[index]]));
  }

  close() {
    for (const worker of this.#workers) worker.close();
  }
}

class Worker {
  #process;

  /** @param {Contestant} contestant @param {{ flags: number, tenants: number }} size */
  constructor(contestant, { flags, tenants }) {
    this.contestant = contestant;
    const { engine, document } = contestant;
    const execArgv = ['--expose-gc'];
    this.#process = fork(WORKER, [engine, document, `${flags}`, `${tenants}`], { env: environmentOf(contestant), execArgv });
  }

  /** Sends one request. Only one process works at a time. @param {object} request */
  ask(request) {
    this.#process.send(request);
    return this.answer();
  }

  close() {
    if (this.#process.connected) this.#process.disconnect();
  }

  /** Waits for the next message. The first message is `ready`. @returns {Promise<any>} */
  answer() {
    const child = this.#process;
    return new Promise((resolve, reject) => {
      const fail = (problem) => reject(new Error(`${this.contestant.id}: ${problem}`));
      const ended = (code) => fail(`its process exited with ${code}`);
      child.once('exit', ended);
      child.once('message', ({ problem, answer }) => {
        child.off('exit', ended);
        if (problem === undefined) resolve(answer);
        else fail(problem);
      });
    });
  }
}
