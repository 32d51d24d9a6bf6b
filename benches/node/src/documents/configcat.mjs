/** The workload as an entry of ConfigCat's cache: a time, an empty ETag, and the configuration. */

import { ROLLOUT_PERCENT } from '../workload.mjs';

const BOOLEAN = 0;
const IS_ONE_OF = 0;
const FETCHED = 1_700_000_000_000;

/** @param {import('../workload.mjs').Workload} workload */
export function document(workload) {
  const settings = workload.flags.map((flag) => {
    const conditions = [];
    if (flag.plans.length > 0) conditions.push({ u: { a: 'plan', c: IS_ONE_OF, l: flag.plans } });
    if (flag.tenants.length > 0) conditions.push({ u: { a: 'slug', c: IS_ONE_OF, l: workload.slugs(flag) } });
    const share = [option(ROLLOUT_PERCENT, true), option(100 - ROLLOUT_PERCENT, false)];
    const outcome = flag.state === 'rollout' ? { p: share } : { s: value(true) };
    const rules = conditions.length > 0 ? { r: [{ c: conditions, ...outcome }] } : {};
    return [flag.key, { t: BOOLEAN, ...value(flag.state === 'on'), ...rules }];
  });
  const config = { p: { u: 'https://localhost', r: 0, s: 'salt' }, f: Object.fromEntries(settings) };
  return `${FETCHED}\n\n${JSON.stringify(config)}`;
}

/** @param {boolean} enabled */
function value(enabled) {
  return { v: { b: enabled } };
}

/** @param {number} percent @param {boolean} enabled */
function option(percent, enabled) {
  return { p: percent, ...value(enabled) };
}
