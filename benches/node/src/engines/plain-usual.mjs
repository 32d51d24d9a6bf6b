/** The plain baseline with `createHash` and a bigint, as most code does it. */

import { createHash } from 'node:crypto';

import { BaselineRuleset } from '../baseline.mjs';
import { baselineEngine } from './plain-engine.mjs';

/** @param {string} text */
function position(text) {
  const remainder = Number(BigInt(`0x${createHash('sha256').update(text).digest('hex')}`) % 10_000n);
  return (remainder % 100) * 100 + Math.floor(remainder / 100);
}

/** @param {string} text */
export const load = (text) => baselineEngine(new BaselineRuleset(text, position));
