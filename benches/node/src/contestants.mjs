/** The contestants: Dezky, plain JavaScript, and the peers, with their engines and documents. */

/**
 * @typedef {object} Contestant
 * @property {string} id
 * @property {'ours' | 'plain' | 'peer'} kind
 * @property {string} column the name of the package, as in the lock file
 * @property {string} engine a file of `engines/`
 * @property {string} document a file of `documents/`
 * @property {string} [note] printed beside the figures
 * @property {string} [entry] the URL of Dezky's package
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

/**
 * Returns the contestant behind a live client.
 * @param {Contestant} contestant @returns {Contestant}
 */
export function live(contestant) {
  return { ...contestant, id: `${contestant.id}-live`, engine: 'dezky-live' };
}

/** Returns Dezky's installed engines. @param {import('./install.mjs').Installation} installation */
export function ours({ native, wasm }) {
  const all = [
    { id: 'native', entry: native?.entry },
    { id: 'wasm', entry: wasm?.entry },
  ];
  const present = all.filter(({ entry }) => entry !== undefined);
  return present.map(({ id, entry }) => ({ id, kind: 'ours', column: 'Dezky', engine: 'dezky', document: 'dezky', entry }));
}
