/** The workload of all engines in a neutral form, equal to that of `benches/src/workload.rs`. */

import { Random } from './random.mjs';

export const PLANS = ['starter', 'business', 'professional', 'enterprise'];
export const ENVIRONMENT = 'production';
export const ROLLOUT_PERCENT = 25;

const PARTNERS = ['nordic', 'alpine', 'harbor', 'meridian', 'summit'];
const AREAS = ['mail', 'drive', 'calendar', 'billing', 'console', 'search', 'sharing', 'backup', 'login', 'audit'];
const SUBJECTS = ['export', 'preview', 'threads', 'editor', 'import', 'digest', 'labels', 'policy', 'limits', 'native'];
const SLUG_HEADS = [
  'acme', 'globex', 'initech', 'umbra', 'vertex', 'lumen', 'cobalt', 'aurora', 'delta', 'fjord', 'quartz', 'ember',
];
const SLUG_TAILS = ['labs', 'group', 'works', 'media', 'health', 'legal', 'design', 'systems'];

/**
 * @typedef {'off' | 'on' | 'targeted' | 'rollout'} State
 * @typedef {{ key: string, state: State, plans: string[], tenants: number[] }} Flag
 *   `tenants` are indexes in `Workload.tenants`. A format names a tenant by slug or by id.
 * @typedef {{ id: string, slug: string, plan: string, partner?: string }} Tenant
 * @typedef {[flagIndex: number, tenantIndex: number][]} Pairs
 */

export class Workload {
  /** @param {number} flagCount @param {number} tenantCount */
  constructor(flagCount, tenantCount) {
    const random = new Random(0xde2cn);
    const tenants = Array.from({ length: tenantCount }, (_, index) => tenant(index, random));
    /** Copied through JSON, because V8 stores concatenated strings in pieces. @type {Tenant[]} */
    this.tenants = JSON.parse(JSON.stringify(tenants));
    /** The flags, sorted by key. @type {Flag[]} */
    this.flags = Array.from({ length: flagCount }, (_, index) => flag(index, tenantCount, random));
    this.flags.sort((left, right) => (left.key < right.key ? -1 : 1));
  }

  /**
   * Evaluates the scope of a flag, written independently of the measured engines.
   * @param {Flag} flag @param {number} tenantIndex
   */
  inScope(flag, tenantIndex) {
    const planMatches = flag.plans.length === 0 || flag.plans.includes(this.tenants[tenantIndex].plan);
    return planMatches && (flag.tenants.length === 0 || flag.tenants.includes(tenantIndex));
  }

  /** @param {Flag} flag */
  slugs(flag) {
    return flag.tenants.map((index) => this.tenants[index].slug);
  }

  /** @param {Flag} flag */
  ids(flag) {
    return flag.tenants.map((index) => this.tenants[index].id);
  }

  /**
   * Returns shuffled (flag, tenant) pairs, in scope or not.
   * @param {number} count @returns {Pairs}
   */
  pairs(count) {
    const random = new Random(0xa11n);
    return Array.from({ length: count }, () => [random.below(this.flags.length), random.below(this.tenants.length)]);
  }
}

/** @param {number} index @param {Random} random @returns {Tenant} */
function tenant(index, random) {
  const high = random.next().toString(16).padStart(16, '0');
  const low = BigInt.asUintN(32, random.next()).toString(16).padStart(8, '0');
  const head = SLUG_HEADS[random.below(SLUG_HEADS.length)];
  const tail = SLUG_TAILS[random.below(SLUG_TAILS.length)];
  return {
    id: high + low,
    slug: `${head}-${tail}-${index}`,
    plan: PLANS[index % PLANS.length],
    partner: index % 20 === 0 ? PARTNERS[(index / 20) % PARTNERS.length] : undefined,
  };
}

/**
 * Creates a flag. Of ten flags, three are off, two on, two targeted and three a rollout. Targeted
 * flags alternate between plans, tenants, and both. Every flag draws the same random numbers.
 * @param {number} index @param {number} tenantCount @param {Random} random @returns {Flag}
 */
function flag(index, tenantCount, random) {
  const area = AREAS[random.below(AREAS.length)];
  const subject = SUBJECTS[random.below(SUBJECTS.length)];
  const digit = index % 10;
  const state = digit <= 2 ? 'off' : digit <= 4 ? 'on' : digit <= 6 ? 'targeted' : 'rollout';
  const form = (Math.floor(index / 10) * 2 + digit - Math.min(digit, 5)) % 3;
  const hasPlans = state === 'rollout' || (state === 'targeted' && form !== 1);
  const hasTenants = state === 'targeted' && form !== 0;
  const plans = random.distinctBelow(PLANS.length, 2).map((plan) => PLANS[plan]);
  const tenants = random.distinctBelow(tenantCount, 20);
  const key = asLiteral(`${area}_${subject}_${index}`);
  return { key, state, plans: hasPlans ? plans : [], tenants: hasTenants ? tenants : [] };
}

/** Returns the key as an internalized string, like a literal in a program. @param {string} text */
function asLiteral(text) {
  return Object.keys({ [text]: true })[0];
}
