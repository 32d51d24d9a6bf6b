/** The plain baseline with Node's one-shot hash, the fastest of `node:crypto`. */

import { hash } from 'node:crypto';

import { BaselineRuleset } from '../baseline.mjs';
import { baselineEngine } from './plain-engine.mjs';

/** The weight of each byte of a big-endian 256-bit integer, modulo 10,000. */
const WEIGHTS = Array.from({ length: 32 }, (_, index) => Number(256n ** BigInt(31 - index) % 10_000n));

/**
 * Hashes to a string with one character per byte, which is faster than a Buffer.
 * @param {string} text
 */
function position(text) {
  const digest = hash('sha256', text, 'binary');
  let sum = 0;
  for (let index = 0; index < 32; index++) sum += WEIGHTS[index] * digest.charCodeAt(index);
  const remainder = sum % 10_000;
  return (remainder % 100) * 100 + Math.floor(remainder / 100);
}

/** @param {string} text */
export const load = (text) => baselineEngine(new BaselineRuleset(text, position));
