/** The plain baseline behind the interface of all engines. */

/** @param {import('../baseline.mjs').BaselineRuleset} rules */
export function baselineEngine(rules) {
  return {
    /** @param {import('../workload.mjs').Tenant} tenant */
    subject: ({ id, slug, plan, partner }) => ({ tenantId: id, tenantSlug: slug, plan, partnerSlug: partner }),
    isEnabled: (key, subject) => rules.isEnabled(key, subject),
    resolve: (subject) => rules.forTenant(subject),
  };
}
