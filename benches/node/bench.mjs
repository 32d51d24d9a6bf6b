/** Measures Dezky's JavaScript SDKs and their peers side by side and prints a Markdown report. */

import { install, uninstall } from './src/install.mjs';
import { description, loadAverage } from './src/machine.mjs';
import { readOptions, USAGE } from './src/options.mjs';
import { list, misses } from './src/report.mjs';
import { measureEverything } from './src/rows.mjs';

const EXIT_DISAGREEMENT = 1;
const EXIT_MISSED = 2;
const EXIT_USAGE = 64;

const options = readOptions();
if (!options) {
  console.error(USAGE);
  process.exit(EXIT_USAGE);
}
const loadBefore = loadAverage();
const installation = install(options);
try {
  const rows = await measureEverything(installation, options.isQuick);
  console.log(`${list(rows)}\n\n${description(installation)}\nLoad average before the first round: ${loadBefore}.`);
  if (options.isStrict && rows.some((row) => misses(row).length > 0)) process.exitCode = EXIT_MISSED;
} catch (problem) {
  console.error(`The run failed: ${problem.message}`);
  process.exitCode = EXIT_DISAGREEMENT;
} finally {
  uninstall(installation);
}
