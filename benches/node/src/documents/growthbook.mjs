/** The workload as GrowthBook features: one force rule with a condition and a coverage. */

import { ROLLOUT_PERCENT } from '../workload.mjs';

/** @param {import('../workload.mjs').Workload} workload */
export function document(workload) {
  const features = workload.flags.map((flag) => {
    const condition = {
      ...(flag.plans.length > 0 && { plan: { $in: flag.plans } }),
      ...(flag.tenants.length > 0 && { slug: { $in: workload.slugs(flag) } }),
    };
    const share = flag.state === 'rollout' ? { coverage: ROLLOUT_PERCENT / 100, hashAttribute: 'id' } : {};
    const hasRule = flag.state === 'targeted' || flag.state === 'rollout';
    const rules = hasRule ? [{ force: true, condition, ...share }] : [];
    return [flag.key, { defaultValue: flag.state === 'on', ...(hasRule && { rules }) }];
  });
  return JSON.stringify({ features: Object.fromEntries(features) });
}
