/** Installation of Dezky's packages in a temporary folder, as npm would install them. */

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * @typedef {object} Installed
 * @property {string} name
 * @property {string} version
 * @property {Record<string, unknown>} exports
 * @property {string} entry the URL that `import` resolves
 * @property {string} folder
 *
 * @typedef {{ home: string, native?: Installed, wasm?: Installed }} Installation
 */

/** Installs the packages that exist. @param {{ native: string, wasm: string }} folders */
export function install({ native, wasm }) {
  const home = mkdtempSync(join(tmpdir(), 'dezky-bench-'));
  /** @param {string} folder */
  const add = (folder) => (isPackage(folder) ? put(folder, home) : undefined);
  return { home, native: add(native), wasm: add(wasm) };
}

/** @param {Installation} installation */
export function uninstall({ home }) {
  rmSync(home, { recursive: true });
}

/**
 * Returns all files below a folder with an ending.
 * @param {string} folder @param {string} ending
 */
export function filesBelow(folder, ending) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile() && entry.name.endsWith(ending)).map((entry) => join(entry.parentPath, entry.name));
}

/** Copies a package and the packages of its binaries, which are in folders beside it. */
function put(folder, home) {
  const manifest = manifestOf(folder);
  const beside = readdirSync(dirname(folder)).map((name) => join(dirname(folder), name));
  const needed = beside.filter((other) => isPackage(other) && manifestOf(other).name in (manifest.optionalDependencies ?? {}));
  for (const source of [folder, ...needed]) cpSync(source, installedPath(manifestOf(source).name, home), { recursive: true });
  const { name, version, exports } = manifest;
  const question = `console.log(import.meta.resolve(${JSON.stringify(name)}))`;
  const entry = execFileSync(process.execPath, ['--input-type=module', '--eval', question], { cwd: home, encoding: 'utf8' }).trim();
  return { name, version, exports, entry, folder: installedPath(name, home) };
}

function installedPath(name, home) {
  return join(home, 'node_modules', name);
}

function isPackage(folder) {
  return existsSync(join(folder, 'package.json'));
}

function manifestOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}
