/** The Markdown report of a run: a list of rows with their figures and verdicts. */

import { PEERS, PLAIN } from './contestants.mjs';

/**
 * @typedef {object} Row
 * @property {string} what
 * @property {'time' | 'bytes'} unit
 * @property {string} ours the contestant whose figure is Dezky's
 * @property {Record<string, number>} figures by contestant
 * @property {number} [bar]
 * @property {number} [barOfPeers] how many times as fast as the fastest peer
 * @property {number} [barOfPlain] how many times as fast as plain JavaScript at its best
 */

const COLUMNS = 100;

/** Formats all rows as a Markdown list. @param {Row[]} rows */
export function list(rows) {
  return rows.map(entry).join('\n');
}

/** @param {Row} row */
function entry(row) {
  const { what, unit, ours, figures, bar, barOfPeers, barOfPlain } = row;
  const shown = (contestant) => figure(figures[contestant.id], unit) + note(contestant, figures);
  const isMeasured = ({ id }) => figures[id] !== undefined;
  const atLeast = (value) => (value === undefined ? '' : ` (bar ≥ ${value}x)`);
  const items = [
    item(0, `**${what}**: ${verdict(row)}`),
    item(1, `Dezky: ${figure(figures[ours], unit)}${bar === undefined ? '' : ` (bar ≤ ${figure(bar, unit)})`}`),
  ];
  const plain = PLAIN.filter(isMeasured);
  if (plain.length > 0) items.push(item(1, `plain JS: ${plain.map(shown).join('; ')}`));
  for (const peer of PEERS.filter(isMeasured)) items.push(item(1, `${peer.column}: ${shown(peer)}`));
  const toPeers = ratioTo(row, PEERS);
  const toPlain = PLAIN.map((contestant) => ratioTo(row, [contestant])).filter((value) => value !== undefined);
  if (toPeers !== undefined) items.push(item(1, `fastest SDK / Dezky: ${ratio(toPeers)}${atLeast(barOfPeers)}`));
  if (toPlain.length > 0) items.push(item(1, `plain JS / Dezky: ${toPlain.map(ratio).join('; ')}${atLeast(barOfPlain)}`));
  return items.join('\n');
}

/**
 * Formats an item of a Markdown list, wrapped at 100 columns.
 * @param {number} depth @param {string} text
 */
function item(depth, text) {
  const indent = '  '.repeat(depth + 1);
  const lines = [`${'  '.repeat(depth)}-`];
  for (const word of text.split(' ')) {
    if (lines.at(-1).length + 1 + word.length <= COLUMNS) lines.push(`${lines.pop()} ${word}`);
    else lines.push(`${indent}${word}`);
  }
  return lines.join('\n');
}

/** @param {number} value */
function ratio(value) {
  return `${value.toFixed(1)}x`;
}

/** Describes every missed bar with its factor. Empty if all bars are met. @param {Row} row */
export function misses(row) {
  const { bar, barOfPeers, barOfPlain } = row;
  if (row.figures[row.ours] === undefined) return hasBars(row) ? ['not measured'] : [];
  const missed = [];
  if (bar !== undefined && row.figures[row.ours] > bar) missed.push(`bar missed by ${(row.figures[row.ours] / bar).toFixed(2)}x`);
  const ratios = /** @type {const} */ ([
    ['ratio to SDKs', barOfPeers, ratioTo(row, PEERS)],
    ['ratio to plain JS', barOfPlain, ratioTo(row, PLAIN)],
  ]);
  for (const [name, wanted, value] of ratios) {
    if (wanted !== undefined && value !== undefined && value < wanted) missed.push(`${name} missed by ${(wanted / value).toFixed(2)}x`);
  }
  return missed;
}

/** @param {Row} row */
function verdict(row) {
  return hasBars(row) ? misses(row).join(', ') || 'met' : 'context';
}

/** @param {Row} row */
function hasBars({ bar, barOfPeers, barOfPlain }) {
  return bar !== undefined || barOfPeers !== undefined || barOfPlain !== undefined;
}

/**
 * Returns the best figure of the others divided by Dezky's.
 * @param {Row} row @param {import('./contestants.mjs').Contestant[]} others
 */
function ratioTo({ figures, ours }, others) {
  const values = others.map(({ id }) => figures[id]).filter((value) => value !== undefined);
  return figures[ours] === undefined || values.length === 0 ? undefined : Math.min(...values) / figures[ours];
}

/** @param {{ id: string, note?: string }} contestant @param {Record<string, number>} figures */
function note({ id, note }, figures) {
  return note && figures[id] !== undefined ? ` (${note})` : '';
}

/** @param {number | undefined} value @param {Row['unit']} unit */
function figure(value, unit) {
  if (value === undefined) return '-';
  if (unit === 'bytes') return scaled(value, ['B', 'kB', 'MB']);
  return scaled(value, ['ns', 'µs', 'ms']);
}

/**
 * Formats three significant digits without trailing zeros.
 * @param {number} value @param {string[]} units
 */
function scaled(value, units) {
  // From 999.5 on, three digits would round up to "1000".
  const step = value < 999.5 ? 0 : value < 999_500 ? 1 : 2;
  const inUnit = value / 1_000 ** step;
  const text = inUnit.toFixed(inUnit < 10 ? 2 : inUnit < 100 ? 1 : 0);
  return `${text.includes('.') ? text.replace(/\.?0+$/, '') : text} ${units[step]}`;
}
