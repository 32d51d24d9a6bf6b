/** Dezky through a live client that starts with the snapshot. Its server does not exist. */

import { load as loadRules, runs as engine, sdk } from './dezky.mjs';

/** @param {string} text */
export async function load(text) {
  const rules = await loadRules(text);
  const client = await sdk.connect({ url: 'http://127.0.0.1:9', key: 'dzk_unused', snapshot: text });
  return {
    ...rules,
    isEnabled: (key, subject) => client.isEnabled(key, subject),
    resolve: (subject) => client.forTenant(subject),
    release: () => client.close(),
  };
}

export const runs = `${engine}-live`;
