/** Interleaved rounds over contestants that each live in a process of their own; the median round is what counts. */

/** @typedef {{ rounds: number, roundNanoseconds: number }} Effort */

/** @type {Effort} */
export const FULL = { rounds: 15, roundNanoseconds: 30_000_000 };
/** @type {Effort} */
export const QUICK = { rounds: 3, roundNanoseconds: 3_000_000 };

/**
 * Each round lets every contestant run once at every task, in turn, so that a slow second of the machine meets all alike.
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
      // Starting at another contestant each round keeps the order itself from favouring anybody.
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
 * Finds how many repetitions fill a round, which is also the warm-up; once more after that, since code that has just been
 * compiled is quicker than what was timed.
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
