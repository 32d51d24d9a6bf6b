/** The one Markdown table that a run prints, and the verdict on each of its rows. */

import { PEERS, PLAIN } from './contestants.mjs';

/**
 * @typedef {object} Row
 * @property {string} what
 * @property {'time' | 'bytes'} unit
 * @property {string} ours whose figure is ours
 * @property {Record<string, number>} figures by contestant
 * @property {number} [bar]
 * @property {number} [barOfPeers] how many times as fast as the fastest peer
 * @property {number} [barOfPlain] how many times as fast as plain JavaScript at its best
 */

/** @param {Row[]} rows */
export function table(rows) {
  const columns = ['what', 'ours', 'bar', 'plain JS', ...PEERS.map(({ column }) => column)];
  columns.push('fastest SDK / ours', 'its bar', 'plain JS / ours', 'its bar', 'verdict');
  const lines = rows.map((row) => [...figuresOf(row), ...ratiosOf(row), verdict(row)]);
  return [columns, columns.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** By how much each bar is missed, in words; empty where all are met. @param {Row} row */
export function misses(row) {
  const { bar, barOfPeers, barOfPlain } = row;
  if (row.figures[row.ours] === undefined) return hasBars(row) ? ['not measured'] : [];
  const missed = [];
  if (bar !== undefined && row.figures[row.ours] > bar) missed.push(`bar missed by ${(row.figures[row.ours] / bar).toFixed(2)}x`);
  const ratios = /** @type {const} */ ([
    ['ratio to SDKs', barOfPeers, ratioTo(row, PEERS)],
    ['ratio to plain JS', barOfPlain, ratioTo(row, PLAIN)],
  ]);
  for (const [name, wanted, ratio] of ratios) {
    if (wanted !== undefined && ratio !== undefined && ratio < wanted) missed.push(`${name} missed by ${(wanted / ratio).toFixed(2)}x`);
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

/** @param {Row} row */
function figuresOf({ what, unit, ours, figures, bar }) {
  const shown = (contestant) => figure(figures[contestant.id], unit) + note(contestant, figures);
  const plain = PLAIN.filter(({ id }) => figures[id] !== undefined).map(shown);
  const ourFigure = figure(figures[ours], unit);
  return [what, ourFigure, bar === undefined ? '-' : `≤ ${figure(bar, unit)}`, plain.join('; ') || '-', ...PEERS.map(shown)];
}

/** @param {Row} row */
function ratiosOf(row) {
  const ratio = (value) => (value === undefined ? '-' : `${value.toFixed(1)}x`);
  const bar = (value) => (value === undefined ? '-' : `≥ ${value}x`);
  const toPlain = PLAIN.map((contestant) => ratioTo(row, [contestant])).filter((value) => value !== undefined);
  return [ratio(ratioTo(row, PEERS)), bar(row.barOfPeers), toPlain.map(ratio).join('; ') || '-', bar(row.barOfPlain)];
}

/** How many times the best of them is of ours. @param {Row} row @param {import('./contestants.mjs').Contestant[]} others */
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

/** Three significant digits, and no decimals where they would say nothing. @param {number} value @param {string[]} units */
function scaled(value, units) {
  // Just below a thousand, three digits would round up to "1000".
  const step = value < 999.5 ? 0 : value < 999_500 ? 1 : 2;
  const inUnit = value / 1_000 ** step;
  const text = inUnit.toFixed(inUnit < 10 ? 2 : inUnit < 100 ? 1 : 0);
  return `${text.includes('.') ? text.replace(/\.?0+$/, '') : text} ${units[step]}`;
}
