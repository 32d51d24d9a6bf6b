/** ConfigCat at its best: a cached configuration, no log, and a synchronous client snapshot. */

import { createConsoleLogger, getClient, LogLevel, PollingMode, User } from 'configcat-node';

const SDK_KEY = 'configcat-sdk-1/0000000000000000000000/0000000000000000000000';

/** @param {string} entry of the cache */
export async function load(entry) {
  const client = getClient(SDK_KEY, PollingMode.ManualPoll, {
    offline: true,
    cache: { get: () => entry, set() {} },
    logger: createConsoleLogger(LogLevel.Off),
  });
  await client.waitForReady();
  const snapshot = client.snapshot();
  return {
    /** @param {import('../workload.mjs').Tenant} tenant */
    subject: ({ id, slug, plan }) => new User(id, undefined, undefined, { slug, plan }),
    isEnabled: (key, user) => snapshot.getValue(key, false, user),
    /** Its own call for all flags is faster than a loop. */
    async all(user, keys, answers) {
      const values = await client.getAllValuesAsync(user);
      for (let index = 0; index < keys.length; index++) {
        answers[index] = values[index].settingKey === keys[index] && values[index].settingValue ? 1 : 0;
      }
    },
    release: () => client.dispose(),
  };
}
