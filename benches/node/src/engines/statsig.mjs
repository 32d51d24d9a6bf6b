/** Statsig at its best: specs in memory, no network, no events, no lookups. */

import { Statsig, StatsigUser } from '@statsig/statsig-node-core';

let loaded = 0;

/** @param {string} text */
export async function load(text) {
  const statsig = new Statsig(`secret-${loaded++}`, {
    disableNetwork: true,
    disableAllLogging: true,
    disableCountryLookup: true,
    enableIdLists: false,
    outputLogLevel: 'none',
    specAdaptersConfig: [{ adapterType: 'data_store', initTimeoutMs: 10_000 }],
    dataStore: {
      initialize: async () => {},
      shutdown: async () => {},
      get: async () => ({ result: text, time: 1 }),
      set: async () => {},
      supportPollingUpdatesFor: async () => false,
    },
  });
  const { isSuccess, error } = await statsig.initialize();
  if (!isSuccess) throw new Error(`Statsig does not start: ${error}`);
  return {
    /** @param {import('../workload.mjs').Tenant} tenant */
    subject: ({ id, slug, plan }) => new StatsigUser({ userID: id, custom: { slug, plan } }),
    isEnabled: (key, user) => statsig.checkGate(user, key),
    release: () => statsig.shutdown(),
  };
}
