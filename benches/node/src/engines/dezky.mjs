/** Dezky through its public API. The command line selects the package. */

const entry = process.env.BENCH_PACKAGE_ENTRY;
if (!entry) throw new Error('BENCH_PACKAGE_ENTRY must hold the URL of the package under test');
export const sdk = await import(entry);

/** @param {string} text */
export async function load(text) {
  // Only the WASM package has `init`, for runtimes in which it cannot start by itself.
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

/** The running engine, so that a fallback is never measured as the native one. */
export const runs = sdk.engine;
