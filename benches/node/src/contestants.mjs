/** Who takes part: ours, plain JavaScript, and the peers, each with its column and the way it is called. */

/**
 * @typedef {object} Contestant
 * @property {string} id
 * @property {'ours' | 'plain' | 'peer'} kind
 * @property {string} column the package, which is also how the lock file calls it
 * @property {string} engine a file of `engines/`
 * @property {string} document a file of `documents/`
 * @property {string} [note] said beside its figures
 * @property {string} [entry] the URL of ours' package
 */

/** @type {Contestant[]} */
export const PEERS = [
  { id: 'flagd', kind: 'peer', column: '@openfeature/flagd-core', engine: 'flagd', document: 'flagd' },
  { id: 'growthbook', kind: 'peer', column: '@growthbook/growthbook', engine: 'growthbook', document: 'growthbook' },
  { id: 'configcat', kind: 'peer', column: 'configcat-node', engine: 'configcat', document: 'configcat' },
  { id: 'statsig', kind: 'peer', column: '@statsig/statsig-node-core', engine: 'statsig', document: 'statsig' },
  { id: 'flipt', kind: 'peer', column: '@flipt-io/flipt-client-js', engine: 'flipt', document: 'flipt' },
];

/** @type {Contestant[]} */
export const PLAIN = [
  { id: 'plain', kind: 'plain', column: 'plain JS', engine: 'plain', document: 'dezky', note: 'one-shot hash' },
  { id: 'plainUsual', kind: 'plain', column: 'plain JS', engine: 'plain-usual', document: 'dezky', note: '`createHash`' },
];

/** The same through a live client. @param {Contestant} contestant @returns {Contestant} */
export function live(contestant) {
  return { ...contestant, id: `${contestant.id}-live`, engine: 'dezky-live' };
}

/** Ours, as far as their packages are there. @param {import('./install.mjs').Installation} installation @returns {Contestant[]} */
export function ours({ native, wasm }) {
  const all = [
    { id: 'native', entry: native?.entry },
    { id: 'wasm', entry: wasm?.entry },
  ];
  const present = all.filter(({ entry }) => entry !== undefined);
  return present.map(({ id, entry }) => ({ id, kind: 'ours', column: 'ours', engine: 'dezky', document: 'dezky', entry }));
}
