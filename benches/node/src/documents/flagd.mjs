/** The workload as flagd's flag definitions: scopes as JSON logic, rollouts as `fractional`. */

import { ROLLOUT_PERCENT } from '../workload.mjs';

/** @typedef {import('../workload.mjs').Workload} Workload */
/** @typedef {import('../workload.mjs').Flag} Flag */

/** @param {Workload} workload */
export function document(workload) {
  const flags = Object.fromEntries(workload.flags.map((flag) => [flag.key, definition(workload, flag)]));
  return JSON.stringify({ flags });
}

/** @param {Workload} workload @param {Flag} flag */
function definition(workload, flag) {
  const rule = targeting(workload, flag);
  return {
    state: flag.state === 'off' ? 'DISABLED' : 'ENABLED',
    variants: { on: true, off: false },
    defaultVariant: flag.state === 'on' ? 'on' : 'off',
    ...(rule && { targeting: rule }),
  };
}

/** @param {Workload} workload @param {Flag} flag */
function targeting(workload, flag) {
  const conditions = [];
  if (flag.plans.length > 0) conditions.push({ in: [{ var: 'plan' }, flag.plans] });
  if (flag.tenants.length > 0) conditions.push({ in: [{ var: 'slug' }, workload.slugs(flag)] });
  if (conditions.length === 0) return undefined;
  const scope = conditions.length === 1 ? conditions[0] : { and: conditions };
  const share = { fractional: [['on', ROLLOUT_PERCENT], ['off', 100 - ROLLOUT_PERCENT]] };
  return { if: [scope, flag.state === 'rollout' ? share : 'on', 'off'] };
}
