/** The workload as Statsig config specs: gates with one rule that refers to shared conditions. */

import { ROLLOUT_PERCENT } from '../workload.mjs';

/** @typedef {import('../workload.mjs').Workload} Workload */
/** @typedef {import('../workload.mjs').Flag} Flag */

/** @param {Workload} workload */
export function document(workload) {
  /** @type {Record<string, object>} */
  const conditions = {};
  const gates = workload.flags.map((flag) => [flag.key, gate(workload, flag, conditions)]);
  return JSON.stringify({
    has_updates: true,
    time: 1,
    feature_gates: Object.fromEntries(gates),
    dynamic_configs: {},
    layer_configs: {},
    experiment_to_layer: {},
    condition_map: conditions,
  });
}

/** @param {Workload} workload @param {Flag} flag @param {Record<string, object>} conditions */
function gate(workload, flag, conditions) {
  /** @param {string} name @param {object} condition */
  const named = (name, condition) => {
    conditions[name] = { additionalValues: {}, idType: 'userID', ...condition };
    return name;
  };
  /** @param {string} field @param {string[]} values */
  const isOneOf = (field, values) => ({ type: 'user_field', field, operator: 'any', targetValue: values });
  const names = [];
  if (flag.plans.length > 0) names.push(named(`plans ${flag.plans}`, isOneOf('plan', flag.plans)));
  if (flag.tenants.length > 0) names.push(named(`tenants ${flag.key}`, isOneOf('slug', workload.slugs(flag))));
  if (flag.state === 'on') names.push(named('everyone', { type: 'public' }));
  const rule = {
    name: 'scope',
    id: 'scope',
    salt: flag.key,
    passPercentage: flag.state === 'rollout' ? ROLLOUT_PERCENT : 100,
    conditions: names,
    returnValue: true,
    idType: 'userID',
  };
  return {
    type: 'feature_gate',
    entity: 'feature_gate',
    idType: 'userID',
    salt: flag.key,
    enabled: flag.state !== 'off',
    defaultValue: false,
    rules: flag.state === 'off' ? [] : [rule],
  };
}
