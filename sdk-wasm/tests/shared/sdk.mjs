// The package under test, named by DEZKY_PACKAGE, and the documents that the suites share.
import assert from 'node:assert/strict'

export const packageName = process.env.DEZKY_PACKAGE
assert.ok(packageName, 'DEZKY_PACKAGE must name the package under test')

export const sdk = await import(packageName)

export const snapshot = {
  format: 1,
  revision: 481,
  environment: 'production',
  flags: [
    { key: 'everyone', state: 'on' },
    { key: 'half', state: 'rollout', pct: 50.5, scope: { plans: ['business'] } },
    { key: 'jmap_native_v2', state: 'targeted', scope: { plans: ['business'], partnerSlugs: ['nordic'] } },
    { key: 'nobody', state: 'off' },
    { key: 'staging_only', state: 'targeted', scope: { environments: ['staging'] } },
    { key: 'whom', state: 'targeted' },
  ],
}

export const acme = { tenantId: 't1', tenantSlug: 'acme', plan: 'business', partnerSlug: 'nordic', environment: 'production' }
export const umbrella = { tenantId: 't2', tenantSlug: 'umbrella', plan: 'free' }

export const world = {
  revision: 481,
  environment: 'production',
  partners: [{ id: 'p1', slug: 'nordic' }],
  tenants: [
    { id: 't1', slug: 'acme', plan: 'business', partnerId: 'p1' },
    { id: 't2', slug: 'umbrella', plan: 'free' },
    { id: 't3', slug: 'gone', plan: 'free', status: 'terminated' },
  ],
  flags: snapshot.flags,
}

export const owner = {
  subject: 'auth|7',
  audiences: ['dezky-portal'],
  user: { id: 'u1', active: true, platformAdmin: false, role: 'owner', tenantIds: ['t1'] },
}

/** Runs `act`, which must throw a DezkyError, and returns the problems as `code path`. */
export function problemsOf(act) {
  try {
    act()
  } catch (error) {
    assert.ok(error instanceof sdk.DezkyError, `${error?.stack ?? error}`)
    const { name, code, path, message, errors } = error
    assert.equal(name, 'DezkyError')
    assert.deepEqual({ code, path }, { code: errors[0].code, path: errors[0].path })
    assert.ok(message.includes(code) && errors.every((each) => each.message))
    return errors.map((each) => `${each.code} ${each.path}`)
  }
  return assert.fail('no error was thrown')
}
