/** Interleaved rounds over contestants in separate processes. The median round counts. */

/** @typedef {{ rounds: number, roundNanoseconds: number }} Effort */

/** @type {Effort} */
export const FULL = { rounds: 15, roundNanoseconds: 30_000_000 };
/** @type {Effort} */
export const QUICK = { rounds: 3, roundNanoseconds: 3_000_000 };

/**
 * Runs every contestant once per round and task, so that a slow second of the machine affects all.
 * @param {((repetitions: number) => Promise<number>)[][]} tasks the contestants of each task
 * @param {Effort} effort
 * @returns {Promise<number[][]>} nanoseconds per repetition
 */
export async function interleaved(tasks, { rounds, roundNanoseconds }) {
  const repetitions = [];
  for (const works of tasks) {
    const found = [];
    for (const work of works) found.push(await calibrate(work, roundNanoseconds));
    repetitions.push(found);
  }
  /** @type {number[][][]} */
  const results = tasks.map((works) => works.map(() => []));
  for (let round = 0; round < rounds; round++) {
    for (const [task, works] of tasks.entries()) {
      // Each round starts with another contestant, so that the order favors none.
      for (let step = 0; step < works.length; step++) {
        const index = (round + step) % works.length;
        const nanoseconds = await works[index](repetitions[task][index]);
        results[task][index].push(nanoseconds / repetitions[task][index]);
      }
    }
  }
  return results.map((works) => works.map(median));
}

/**
 * Finds the number of repetitions that fills a round. The search is also the warm-up. A second pass
 * is needed, because the code is faster after its compilation.
 * @param {(repetitions: number) => Promise<number>} work @param {number} roundNanoseconds
 */
async function calibrate(work, roundNanoseconds) {
  let repetitions = 1;
  for (let pass = 0; pass < 2; pass++) {
    let nanoseconds = Math.max(await work(repetitions), 1);
    while (nanoseconds * 2 < roundNanoseconds) {
      repetitions *= 2;
      nanoseconds = Math.max(await work(repetitions), 1);
    }
    repetitions = Math.max(Math.round((repetitions * roundNanoseconds) / nanoseconds), 1);
  }
  return repetitions;
}

/** @param {number[]} values */
export function median(values) {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 0 ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle];
}
