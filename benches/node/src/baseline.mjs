/** The baseline in plain JavaScript: rules compiled to Sets, the specified hash by node:crypto. */

/**
 * @typedef {{
 *   tenantId: string, tenantSlug: string, plan: string, partnerSlug?: string, environment?: string
 * }} Subject
 * @typedef {(text: string) => number} Position in hundredths of a percent, 0–9999
 */

export class BaselineRuleset {
  #rules;
  #index;
  #position;
  #environment;

  /** @param {string} text a snapshot document @param {Position} position */
  constructor(text, position) {
    const { flags, environment } = JSON.parse(text);
    this.#rules = flags.map(compile);
    this.#index = new Map(this.#rules.map((rule, index) => [rule.key, index]));
    this.#position = position;
    this.#environment = environment;
  }

  /** @param {Subject} subject */
  forTenant(subject) {
    const rules = this.#rules;
    const answers = new Uint8Array(rules.length);
    for (let index = 0; index < rules.length; index++) {
      if (this.#evaluate(rules[index], subject)) answers[index] = 1;
    }
    return new BaselineFlags(this.#index, answers);
  }

  /** @param {string} key @param {Subject} subject */
  isEnabled(key, subject) {
    const index = this.#index.get(key);
    return index !== undefined && this.#evaluate(this.#rules[index], subject);
  }

  #evaluate(rule, subject) {
    switch (rule.state) {
      case 'off':
        return false;
      case 'on':
        return true;
      case 'targeted':
        return rule.isScoped && this.#isInScope(rule, subject);
      default:
        return this.#isInScope(rule, subject) && this.#position(`${subject.tenantId}:${rule.key}`) < rule.hundredths;
    }
  }

  #isInScope(rule, subject) {
    return (
      (rule.plans === null || rule.plans.has(subject.plan)) &&
      (rule.tenantSlugs === null || rule.tenantSlugs.has(subject.tenantSlug)) &&
      (rule.partnerSlugs === null || rule.partnerSlugs.has(subject.partnerSlug)) &&
      (rule.environments === null || rule.environments.has(subject.environment ?? this.#environment))
    );
  }
}

class BaselineFlags {
  #index;
  #answers;

  /** @param {Map<string, number>} index @param {Uint8Array} answers */
  constructor(index, answers) {
    this.#index = index;
    this.#answers = answers;
  }

  /** @param {string} key */
  isEnabled(key) {
    const index = this.#index.get(key);
    return index !== undefined && this.#answers[index] === 1;
  }
}

function compile({ key, state, pct, scope }) {
  const rule = {
    key,
    state,
    hundredths: Math.round(pct * 100),
    plans: setOrNull(scope.plans),
    tenantSlugs: setOrNull(scope.tenantSlugs),
    partnerSlugs: setOrNull(scope.partnerSlugs),
    environments: setOrNull(scope.environments),
  };
  const isScoped = [rule.plans, rule.tenantSlugs, rule.partnerSlugs, rule.environments].some((axis) => axis !== null);
  return { ...rule, isScoped };
}

/** @param {string[]} values */
function setOrNull(values) {
  return values.length > 0 ? new Set(values) : null;
}
