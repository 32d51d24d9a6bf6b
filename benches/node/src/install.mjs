/** Ours' packages, put side by side in a temporary folder the way npm would, so that what runs is what a user gets. */

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * @typedef {object} Installed
 * @property {string} name
 * @property {string} version
 * @property {Record<string, unknown>} exports
 * @property {string} entry the URL of what `import` gives
 * @property {string} folder
 *
 * @typedef {{ home: string, native?: Installed, wasm?: Installed }} Installation
 */

/** Those that are there. @param {{ native: string, wasm: string }} folders @returns {Installation} */
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

/** Every file below a folder that ends so. @param {string} folder @param {string} ending */
export function filesBelow(folder, ending) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile() && entry.name.endsWith(ending)).map((entry) => join(entry.parentPath, entry.name));
}

/** A package and what it needs of what lies beside it: the binaries of a platform are packages of their own. */
function put(folder, home) {
  const manifest = manifestOf(folder);
  const beside = readdirSync(dirname(folder)).map((name) => join(dirname(folder), name));
  const needed = beside.filter((other) => isPackage(other) && manifestOf(other).name in (manifest.optionalDependencies ?? {}));
  for (const source of [folder, ...needed]) cpSync(source, placeOf(manifestOf(source).name, home), { recursive: true });
  const { name, version, exports } = manifest;
  const question = `console.log(import.meta.resolve(${JSON.stringify(name)}))`;
  const entry = execFileSync(process.execPath, ['--input-type=module', '--eval', question], { cwd: home, encoding: 'utf8' }).trim();
  return { name, version, exports, entry, folder: placeOf(name, home) };
}

function placeOf(name, home) {
  return join(home, 'node_modules', name);
}

function isPackage(folder) {
  return existsSync(join(folder, 'package.json'));
}

function manifestOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}
