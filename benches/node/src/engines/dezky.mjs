/** Dezky through its public API; which of its packages and where it lies is a matter of the command line. */

const entry = process.env.BENCH_PACKAGE_ENTRY;
if (!entry) throw new Error('BENCH_PACKAGE_ENTRY must hold the URL of the package under test');
export const sdk = await import(entry);

/** @param {string} text */
export async function load(text) {
  // Only the WASM package has anything to begin with, and only where it cannot begin by itself.
  await sdk.init?.();
  const rules = sdk.Ruleset.fromSnapshot(text);
  return {
    /** @param {import('../workload.mjs').Tenant} tenant */
    subject: ({ id, slug, plan, partner }) => ({
      tenantId: id,
      tenantSlug: slug,
      plan,
      ...(partner && { partnerSlug: partner }),
    }),
    isEnabled: (key, subject) => rules.isEnabled(key, subject),
    resolve: (subject) => rules.forTenant(subject),
    release: () => rules.free(),
  };
}

/** Which engine really runs, so that a fallback is never measured under the name of the native one. */
export const runs = sdk.engine;
