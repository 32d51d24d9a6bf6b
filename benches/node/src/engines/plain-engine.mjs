/** The baseline behind the same door as everybody. */

/** @param {import('../baseline.mjs').BaselineRuleset} rules */
export function baselineEngine(rules) {
  return {
    /** @param {import('../workload.mjs').Tenant} tenant */
    subject: ({ id, slug, plan, partner }) => ({ tenantId: id, tenantSlug: slug, plan, partnerSlug: partner }),
    isEnabled: (key, subject) => rules.isEnabled(key, subject),
    resolve: (subject) => rules.forTenant(subject),
  };
}
