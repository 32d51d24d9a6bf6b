/** The workload as a Flipt snapshot: boolean flags, whose first matching rollout decides. */

import { ROLLOUT_PERCENT } from '../workload.mjs';

/** @typedef {import('../workload.mjs').Workload} Workload */
/** @typedef {import('../workload.mjs').Flag} Flag */

/** @param {Workload} workload */
export function document(workload) {
  const flags = workload.flags.map((flag) => ({
    key: flag.key,
    name: flag.key,
    type: 'BOOLEAN_FLAG_TYPE',
    enabled: flag.state === 'on',
    rules: [],
    rollouts: rollouts(workload, flag),
  }));
  return JSON.stringify({ namespace: { key: 'default' }, flags });
}

/**
 * Returns the rollouts. Shares count all tenants, so the first rollout excludes those out of scope.
 * @param {Workload} workload @param {Flag} flag
 */
function rollouts(workload, flag) {
  if (flag.state === 'rollout') {
    const outside = segment(`${flag.key}-outside`, [constraint('plan', 'isnotoneof', flag.plans)], false);
    return [outside, { threshold: { percentage: ROLLOUT_PERCENT, value: true } }];
  }
  if (flag.state === 'targeted') {
    const constraints = [];
    if (flag.plans.length > 0) constraints.push(constraint('plan', 'isoneof', flag.plans));
    if (flag.tenants.length > 0) constraints.push(constraint('slug', 'isoneof', workload.slugs(flag)));
    return [segment(`${flag.key}-inside`, constraints, true)];
  }
  return [];
}

/** @param {string} key @param {object[]} constraints @param {boolean} value */
function segment(key, constraints, value) {
  const segments = [{ key, matchType: 'ALL_SEGMENT_MATCH_TYPE', constraints }];
  return { segment: { value, segmentOperator: 'OR_SEGMENT_OPERATOR', segments } };
}

/** @param {string} property @param {string} operator @param {string[]} values */
function constraint(property, operator, values) {
  return { type: 'STRING_CONSTRAINT_COMPARISON_TYPE', property, operator, value: JSON.stringify(values) };
}
