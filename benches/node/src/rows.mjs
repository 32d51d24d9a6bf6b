/** The rows of the report. Each workload is verified before it is measured. */

import { coldStarts } from './cold-start.mjs';
import { live, ours, PEERS, PLAIN } from './contestants.mjs';
import { Field } from './field.mjs';
import { FULL, QUICK } from './measure.mjs';
import { binaryWeights, evaluationWeights, resultsWeights } from './weight.mjs';

const SMALL = { flags: 100, tenants: 1_000 };
const LARGE = { flags: 10_000, tenants: 1_000 };
/** @type {['native', 'wasm']} */
const ENGINES = ['native', 'wasm'];
const NAMES = { native: 'native', wasm: 'WASM' };
/** The factor that counts as noise between two equal costs. */
const TOLERANCE = 1.1;

/** @typedef {import('./report.mjs').Row} Row */

/**
 * @param {import('./install.mjs').Installation} installation @param {boolean} isQuick
 * @returns {Promise<Row[]>}
 */
export async function measureEverything(installation, isQuick) {
  const effort = isQuick ? QUICK : FULL;
  const own = ours(installation);
  const contestants = [...PLAIN, ...own, ...PEERS];
  const small = await measured([...everybody, ...own.map(live)], SMALL, ['resolved', 'byName', 'all'], effort);
  const large = await measured(contestants, LARGE, ['load'], effort);
  const cold = await coldStarts(contestants, SMALL, effort.rounds);
  return [...timed(small, large), ...started(cold), ...(await weighed(installation))];
}

/**
 * @param {import('./contestants.mjs').Contestant[]} contestants
 * @returns {Promise<import('./field.mjs').Measured>}
 */
async function measured(contestants, size, tasks, effort) {
  const field = await Field.open(contestants, size);
  try {
    await field.verify();
    return await field.measure(tasks, effort);
  } finally {
    field.close();
  }
}

/**
 * @param {import('./field.mjs').Measured} small @param {import('./field.mjs').Measured} large
 * @returns {Row[]}
 */
function timed({ resolved, byName, all }, { load }) {
  // Peers do not resolve tenants, so their call by name is compared.
  const peersByName = Object.fromEntries(PEERS.map(({ id }) => [id, byName[id]]));
  return [
    ...both('`flags.isEnabled` on a resolved tenant', { ...peersByName, ...resolved }, {
      bar: { native: 25, wasm: 25 },
      barOfPeers: { native: 30, wasm: 30 },
    }),
    ...both('one flag by name for a subject', byName, {}),
    ...both('`forTenant` + all 100 flags read', all, {
      bar: { native: 5_000, wasm: 9_000 },
      barOfPeers: { native: 25, wasm: 14 },
      barOfPlain: { native: 4, wasm: 2 },
    }),
    ...throughClient('one flag by name', byName),
    ...throughClient('`forTenant` + all 100 flags read', all),
    ...both('10,000 flags: load, from JSON text to ready', load, { bar: { native: 15_000_000, wasm: 40_000_000 } }),
  ];
}

/**
 * Compares reading through a live client with reading its rules.
 * @param {string} what @param {Record<string, number>} figures @returns {Row[]}
 */
function throughClient(what, figures) {
  return ENGINES.map((engine) => ({
    what: `${what} through a live client (bar: 1.1 times without), ${NAMES[engine]}`,
    unit: 'time',
    ours: `${engine}-live`,
    figures: { [`${engine}-live`]: figures[`${engine}-live`] },
    bar: figures[engine] * TOLERANCE,
  }));
}

/** @param {import('./cold-start.mjs').ColdStarts} cold @returns {Row[]} */
function started({ cpu, memory }) {
  const what = 'cold: load engine, parse 100 flags, first evaluate-all';
  return [
    ...both(`${what}, CPU`, cpu, { bar: { native: 4_000_000, wasm: 9_000_000 } }),
    ...both(`${what}, RSS`, memory, { bar: { native: 2_000_000, wasm: 4_000_000 } }, 'bytes'),
  ];
}

/** @param {import('./install.mjs').Installation} installation @returns {Promise<Row[]>} */
async function weighed(installation) {
  const evaluation = await evaluationWeights(installation);
  const results = await resultsWeights(installation);
  const binaries = binaryWeights(installation);
  return [
    { what: 'evaluation in a browser, brotli', unit: 'bytes', ours: 'wasm', figures: evaluation, bar: 16_000 },
    { what: 'results-only entry, brotli', unit: 'bytes', ours: 'wasm', figures: results, bar: 1_000 },
    { what: 'native `.node` file, stripped', unit: 'bytes', ours: 'native', figures: binaries, bar: 1_500_000 },
  ];
}

/**
 * Returns a row for each of Dezky's engines, which have separate bars.
 * @param {string} what @param {Record<string, number>} figures
 * @param {Partial<Record<'bar' | 'barOfPeers' | 'barOfPlain', Record<'native' | 'wasm', number>>>}
 *   bars
 * @param {Row['unit']} [unit] @returns {Row[]}
 */
function both(what, figures, bars, unit = 'time') {
  return ENGINES.map((engine) => {
    const own = Object.entries(bars).map(([bar, values]) => [bar, values[engine]]);
    return { what: `${what}, ${NAMES[engine]}`, unit, ours: engine, figures, ...Object.fromEntries(own) };
  });
}
