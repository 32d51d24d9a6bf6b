/** Sizes: bundles for a browser by one tool, compressed the same way, and native binaries. */

import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';

import { build } from 'esbuild';

import { filesBelow } from './install.mjs';

/** @typedef {import('./install.mjs').Installation} Installation */

const HERE = fileURLToPath(new URL('..', import.meta.url));
const FLIPT_WASM = `${HERE}node_modules/@flipt-io/flipt-client-js/dist/flipt_engine_wasm_js_bg.wasm`;
const STATSIG = `${HERE}node_modules/@statsig`;

/** @typedef {Record<string, number>} Weights the bytes by contestant */

/**
 * Returns the size of evaluation in a browser.
 * @param {Installation} installation @returns {Promise<Weights>}
 */
export async function evaluationWeights(installation) {
  const bundled = async (exported, platform) => weightOf(await bundle(exported, HERE, platform));
  return {
    ...(installation.wasm && { wasm: await oursWeight(installation) }),
    flagd: await bundled(`export { FlagdCore } from '@openfeature/flagd-core'`),
    growthbook: await bundled(`export { GrowthBookClient } from '@growthbook/growthbook'`),
    // The package has no entry for browsers.
    configcat: await bundled(`export { getClient, User } from 'configcat-node'`, 'node'),
    flipt:
      (await bundled(`export { FliptClient } from '@flipt-io/flipt-client-js/slim'`)) + compressed(readFileSync(FLIPT_WASM)),
  };
}

/**
 * Returns the size of the results-only entry.
 * @param {Installation} installation @returns {Promise<Weights>}
 */
export async function resultsWeights({ home, wasm }) {
  if (!wasm) return {};
  const { name, exports } = wasm;
  const entry = Object.keys(exports).find((path) => path.includes('results'));
  if (!entry) throw new Error(`${name} has no entry for results`);
  return { wasm: weightOf(await bundle(`export * from '${name}${entry.slice(1)}'`, home)) };
}

/** Returns the size of the native binary. @param {Installation} installation @returns {Weights} */
export function binaryWeights({ home, native }) {
  return { ...(native && { native: binarySize(home) }), statsig: binarySize(STATSIG) };
}

/** Sums the initial JavaScript and each .wasm that it names. @param {Installation} installation */
async function oursWeight({ home, wasm: { name, folder } }) {
  const outputs = await bundle(`export { can, init, Ruleset } from '${name}'`, home);
  const names = new Set(outputs.flatMap(({ text }) => text.match(/[\w-]+\.wasm\b/g) ?? []));
  const modules = filesBelow(folder, '.wasm').filter((path) => names.has(basename(path)));
  if (modules.length === 0) throw new Error(`the evaluation bundle of ${name} names no .wasm of its package`);
  const weights = new Map(modules.map((path) => [basename(path), compressed(readFileSync(path))]));
  return weightOf(outputs) + [...weights.values()].reduce((sum, weight) => sum + weight, 0);
}

/**
 * Bundles a module and returns the chunks that its entry imports statically.
 * @param {string} contents @param {string} folder @param {'browser' | 'node'} [platform]
 */
async function bundle(contents, folder, platform = 'browser') {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: folder },
    absWorkingDir: HERE,
    outdir: HERE,
    write: false,
    metafile: true,
    bundle: true,
    minify: true,
    splitting: true,
    format: 'esm',
    platform,
    define: { 'process.env.NODE_ENV': '"production"' },
    loader: { '.wasm': 'file' },
    assetNames: '[name]',
    logLevel: 'silent',
  });
  const needed = new Set();
  const visit = (path) => {
    needed.add(path);
    const { imports } = metafile.outputs[path];
    for (const { path: next, kind } of imports) if (kind === 'import-statement' && metafile.outputs[next] && !needed.has(next)) visit(next);
  };
  visit(Object.keys(metafile.outputs).find((path) => metafile.outputs[path].entryPoint));
  return outputFiles.filter(({ path }) => needed.has(path.slice(HERE.length)));
}

/** @param {{ contents: Uint8Array }[]} files */
function weightOf(files) {
  return files.reduce((sum, { contents }) => sum + compressed(contents), 0);
}

/** @param {Uint8Array} bytes */
function compressed(bytes) {
  return brotliCompressSync(bytes).length;
}

/** Returns the size of the largest binary for this platform. @param {string} folder */
function binarySize(folder) {
  const files = filesBelow(folder, '.node');
  const fitting = files.filter((path) => path.includes(`${process.platform}-${process.arch}`));
  return Math.max(0, ...(fitting.length > 0 ? fitting : files).map((path) => statSync(path).size));
}
