/** flagd at its best: the flag is evaluated directly, below the type check of its provider. */

import { FlagdCore } from '@openfeature/flagd-core';

/** @param {string} text */
export function load(text) {
  const core = new FlagdCore();
  core.setConfigurations(text);
  return {
    /** @param {import('../workload.mjs').Tenant} tenant */
    subject: ({ id, slug, plan }) => ({ targetingKey: id, slug, plan }),
    isEnabled(key, context) {
      const flag = core.getFlag(key);
      return flag !== undefined && flag.state === 'ENABLED' && flag.evaluate(context).value === true;
    },
  };
}
