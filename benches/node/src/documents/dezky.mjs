/** The workload as a canonical snapshot of Dezky, which the plain baseline also reads. */

import { ENVIRONMENT, ROLLOUT_PERCENT } from '../workload.mjs';

/** @param {import('../workload.mjs').Workload} workload */
export function document(workload) {
  const flags = workload.flags.map((flag) => ({
    key: flag.key,
    state: flag.state,
    pct: flag.state === 'rollout' ? ROLLOUT_PERCENT : 0,
    scope: {
      plans: flag.plans.toSorted(),
      tenantSlugs: workload.slugs(flag).toSorted(),
      partnerSlugs: [],
      environments: [],
    },
  }));
  return JSON.stringify({ format: 1, revision: 481, environment: ENVIRONMENT, flags });
}
