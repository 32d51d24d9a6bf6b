/** GrowthBook at its best: its production bundle without logs, and its multi-user client. */

import { GrowthBookClient } from '../../node_modules/@growthbook/growthbook/dist/bundles/esm.js';

/** @param {string} text */
export function load(text) {
  const client = new GrowthBookClient().initSync({ payload: JSON.parse(text) });
  return {
    /** @param {import('../workload.mjs').Tenant} tenant */
    subject: ({ id, slug, plan }) => ({ attributes: { id, slug, plan } }),
    isEnabled: (key, user) => client.isOn(key, user),
    release: () => client.destroy(),
  };
}
