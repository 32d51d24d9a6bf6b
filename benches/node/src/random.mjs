/** A deterministic generator (splitmix64), equal to the one of the Rust benchmarks. */

const MASK = (1n << 64n) - 1n;

export class Random {
  #state;

  /** @param {bigint} seed */
  constructor(seed) {
    this.#state = seed;
  }

  /** @returns {bigint} 64 bits */
  next() {
    this.#state = (this.#state + 0x9e3779b97f4a7c15n) & MASK;
    let mixed = this.#state;
    mixed = ((mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
    mixed = ((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn) & MASK;
    return mixed ^ (mixed >> 31n);
  }

  /** @param {number} limit */
  below(limit) {
    return Number(this.next() % BigInt(limit));
  }

  /**
   * Returns `count` different numbers below `limit`.
   * @param {number} limit @param {number} count
   */
  distinctBelow(limit, count) {
    const chosen = [];
    while (chosen.length < Math.min(count, limit)) {
      const candidate = this.below(limit);
      if (!chosen.includes(candidate)) chosen.push(candidate);
    }
    return chosen;
  }
}
