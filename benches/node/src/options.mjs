/** The command line. */

import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export const USAGE = `\
node bench.mjs [OPTIONS]
  --native DIR  the package @dezky/sdk-node as it is published (default ../../sdk-node/dist/package)
  --wasm DIR    the package @dezky/sdk-wasm as it is published (default ../../sdk-wasm/dist/package)
  --quick       few short rounds, to see that everything runs; the figures mean little
  --strict      exit with 2 when a bar is missed, or cannot be looked at`;

/** @typedef {{ native: string, wasm: string, isQuick: boolean, isStrict: boolean }} Options */

/** @returns {Options | undefined} nothing where the command line makes no sense */
export function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        native: { type: 'string', default: ofRepository('sdk-node/dist/package') },
        wasm: { type: 'string', default: ofRepository('sdk-wasm/dist/package') },
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
function ofRepository(path) {
  return fileURLToPath(new URL(`../../../${path}`, import.meta.url));
}
