/** A check before any measurement that all engines give the same answers. */

import { allOf } from './engine.mjs';
import { ROLLOUT_PERCENT } from './workload.mjs';

/** The allowed distance of a rollout's share from its percentage, because the hashes differ. */
const SHARE_TOLERANCE = 0.02;
/** The number of samples below which a share is not meaningful. */
const ENOUGH_SAMPLES = 1_000;

/** @typedef {import('./engine.mjs').Engine} Engine */
/** @typedef {import('./workload.mjs').Workload} Workload */

/**
 * Checks every flag for every tenant in every timed way. Returns one digit per answer.
 * @param {Engine} engine @param {Workload} workload
 */
export async function verifyEverything(engine, workload) {
  const tally = new Tally();
  const keys = workload.flags.map(({ key }) => key);
  const all = allOf(engine);
  let digits = '';
  for (const [tenantIndex, tenant] of workload.tenants.entries()) {
    const subject = engine.subject(tenant);
    const answers = new Uint8Array(keys.length).fill(2);
    await all(subject, keys, answers);
    const resolved = engine.resolve?.(subject);
    for (const [index, flag] of workload.flags.entries()) {
      const enabled = engine.isEnabled(flag.key, subject);
      const others = [answers[index] === 1, ...(resolved ? [resolved.isEnabled(flag.key)] : [])];
      if (answers[index] > 1 || others.some((other) => other !== enabled)) {
        throw new Error(`flag ${flag.key} for tenant ${tenant.id}: by name and all at once differ`);
      }
      tally.check(flag, workload.inScope(flag, tenantIndex), enabled);
    }
    digits += answers.join('');
  }
  tally.checkShare();
  return digits;
}

/**
 * Checks pairs by name only, where all pairs would take too long. Returns one digit per answer.
 * @param {Engine} engine @param {Workload} workload @param {import('./workload.mjs').Pairs} pairs
 */
export function verifyPairs(engine, workload, pairs) {
  const tally = new Tally();
  const subjects = workload.tenants.map((tenant) => engine.subject(tenant));
  let digits = '';
  for (const [flagIndex, tenantIndex] of pairs) {
    const flag = workload.flags[flagIndex];
    const enabled = engine.isEnabled(flag.key, subjects[tenantIndex]);
    tally.check(flag, workload.inScope(flag, tenantIndex), enabled);
    digits += enabled ? '1' : '0';
  }
  tally.checkShare();
  return digits;
}

/** Checks each answer, and counts rollouts to check their share. */
class Tally {
  #inScope = 0;
  #included = 0;

  /**
   * @param {import('./workload.mjs').Flag} flag @param {boolean} isInScope @param {unknown} enabled
   */
  check(flag, isInScope, enabled) {
    if (flag.state === 'rollout' && isInScope && typeof enabled === 'boolean') {
      this.#inScope += 1;
      this.#included += Number(enabled);
      return;
    }
    const expected = flag.state === 'on' || (flag.state === 'targeted' && isInScope);
    if (enabled !== expected) throw new Error(`flag ${flag.key} (${flag.state}) is ${enabled}, expected ${expected}`);
  }

  checkShare() {
    if (this.#inScope < ENOUGH_SAMPLES) throw new Error(`only ${this.#inScope} samples of rollouts in scope`);
    const share = this.#included / this.#inScope;
    if (Math.abs(share - ROLLOUT_PERCENT / 100) > SHARE_TOLERANCE) {
      throw new Error(`a rollout of ${ROLLOUT_PERCENT} % includes ${(share * 100).toFixed(2)} % of its scope`);
    }
  }
}
