/** Dezky through a live client. It begins with the snapshot and its server is away, which reading does not depend on. */

import { load as loadRules, runs as engine, sdk } from './dezky.mjs';

/** @param {string} text */
export async function load(text) {
  const rules = await loadRules(text);
  const client = await sdk.connect({ url: 'http://127.0.0.1:9', key: 'dzk_nobody', snapshot: text });
  return {
    ...rules,
    isEnabled: (key, subject) => client.isEnabled(key, subject),
    resolve: (subject) => client.forTenant(subject),
    release: () => client.close(),
  };
}

export const runs = `${engine}-live`;
