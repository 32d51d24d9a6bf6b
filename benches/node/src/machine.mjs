/** The end of the report: versions of Dezky, the peers and Node, the processor and its load. */

import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';

import { PEERS } from './contestants.mjs';

/** @param {import('./install.mjs').Installation} installation */
export function description({ native, wasm }) {
  const { packages } = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'));
  const peers = PEERS.map(({ column }) => `${column} ${packages[`node_modules/${column}`].version}`);
  const ours = [native, wasm].filter((installed) => installed !== undefined).map(({ name, version }) => `${name} ${version}`);
  const processors = cpus();
  return [
    `Dezky: ${ours.join(', ') || 'none'}.`,
    `Peers: ${peers.join(', ')}.`,
    `Node ${process.versions.node}, V8 ${process.versions.v8}; sizes by esbuild ${packages['node_modules/esbuild'].version}.`,
    `Processor: ${processors[0]?.model.trim() ?? 'unknown'}, ${processors.length} cores.`,
    `Load average at the end: ${loadAverage()}.`,
  ].join('\n');
}

export function loadAverage() {
  return loadavg()
    .map((load) => load.toFixed(2))
    .join(' ');
}
