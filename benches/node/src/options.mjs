/** The options of the command line. */

import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export const USAGE = `\
node bench.mjs [OPTIONS]
  --native DIR  the packed @dezky/sdk-node (default ../../sdk-node/dist/package)
  --wasm DIR    the packed @dezky/sdk-wasm (default ../../sdk-wasm/dist/package)
  --quick       run a few short rounds as a check; the figures are not reliable
  --strict      exit with 2 if a bar is missed or not measured`;

/** @typedef {{ native: string, wasm: string, isQuick: boolean, isStrict: boolean }} Options */

/** @returns {Options | undefined} undefined for an invalid command line */
export function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        native: { type: 'string', default: repositoryPath('sdk-node/dist/package') },
        wasm: { type: 'string', default: repositoryPath('sdk-wasm/dist/package') },
        quick: { type: 'boolean', default: false },
        strict: { type: 'boolean', default: false },
      },
    });
    return { native: resolve(values.native), wasm: resolve(values.wasm), isQuick: values.quick, isStrict: values.strict };
  } catch {
    return undefined;
  }
}

/** @param {string} path */
function repositoryPath(path) {
  return fileURLToPath(new URL(`../../../${path}`, import.meta.url));
}
