/** The types of the population, of edits and plans, and of the model's documents. */
import type { Axis, FlagRule, FlagRuleInput, Role, Scope, State, TenantStatus } from './types.js'

/** Every tenant, partner and flag at one revision. */
export interface WorldDocument {
  readonly revision: number
  readonly environment: string
  readonly partners: readonly { readonly id: string; readonly slug: string }[]
  readonly tenants: readonly {
    readonly id: string
    readonly slug: string
    readonly plan: string
    readonly partnerId?: string | null | undefined
    readonly status?: TenantStatus | null | undefined
  }[]
  readonly flags: readonly FlagRuleInput[]
}

/** A list of changes, applied in order as one unit. */
export interface Edit {
  readonly edits: readonly EditStep[]
}

/** One change of an edit. */
export type EditStep =
  | { readonly kind: 'putFlag'; readonly flag: FlagRuleInput }
  | { readonly kind: 'patchFlag'; readonly key: string; readonly patch: FlagPatch }
  | { readonly kind: 'deleteFlag'; readonly key: string }
  | {
      readonly kind: 'moveTenant'
      readonly tenantId: string
      readonly plan?: string | null | undefined
      /** `null` removes the tenant from its partner. */
      readonly partnerSlug?: string | null | undefined
    }

/**
 * The body of `PATCH /flags/{key}`: absent members stay unchanged, `null` resets one to its
 * default.
 */
export interface FlagPatch {
  readonly state?: State | undefined
  readonly pct?: number | null | undefined
  /** Absent axes stay unchanged; `null` empties an axis. */
  readonly scope?: { readonly [axis in Axis]?: readonly string[] | null | undefined } | null | undefined
  readonly description?: string | null | undefined
  /** Accepted because `PATCH` accepts it; has no effect on a plan. */
  readonly planDigest?: string | null | undefined
}

/** A flag that changes for a tenant. */
export interface PlanPair {
  readonly key: string
  readonly tenantId: string
}

/** The exact effect of an edit: which tenants gain and which lose a flag. */
export interface Plan {
  readonly baseRevision: number
  /** A digest over the edit and its effect: equal digests mean equal plans. */
  readonly digest: string
  readonly gained: readonly PlanPair[]
  readonly lost: readonly PlanPair[]
  readonly byPlan: readonly { readonly plan: string; readonly gained: number; readonly lost: number }[]
  readonly byPartner: readonly { readonly partnerSlug: string | null; readonly gained: number; readonly lost: number }[]
  /** Likely mistakes in the edit, 20 at most. The digest does not include them. */
  readonly warnings: readonly PlanWarning[]
}

/**
 * A likely mistake in an edit. `targets_nobody`: a targeted flag without a scope. `scope_ignored`:
 * a scope on a flag that is `on`. `unknown_name`: a plan, tenant or partner that does not exist; a
 * server also checks environments.
 */
export interface PlanWarning {
  readonly code: 'targets_nobody' | 'scope_ignored' | 'unknown_name'
  /** A JSON Pointer into the edit. Indices on an axis refer to its sorted values. */
  readonly path: string
  /** The unknown name, and the nearest existing name if one is close. */
  readonly name?: string
  readonly nearest?: string
}

/** The tenants in a flag's scope, in the order in which a rising percentage includes them. */
export interface Ladder {
  readonly key: string
  /** `pct` is the smallest percentage that includes the tenant. */
  readonly steps: readonly { readonly tenantId: string; readonly position: number; readonly pct: number }[]
}

/** The number of tenants for whom a flag is on, in its scope, and registered. */
export interface Counts {
  readonly on: number
  readonly inScope: number
  readonly registered: number
}

/** Any JSON value. Whole numbers beyond 2^53 are bigint, so that no digit is lost. */
export type Json = null | boolean | number | bigint | string | readonly Json[] | { readonly [name: string]: Json }

/** The members that every stored record has. Times are RFC 3339 in UTC. */
export interface Revisioned {
  readonly createdAt: string
  readonly updatedAt: string
  readonly version: number
}

/** The billing details of a tenant or partner. */
export interface BillingInfo {
  readonly companyName?: string
  readonly vatId?: string
  readonly address?: string
  readonly email?: string
  readonly currency?: string
}

/** The provisioning status of one external system. */
export interface Integration {
  readonly status: 'pending' | 'ok' | 'error' | 'disabled'
  readonly error?: string
}

/** A tenant record as the server stores it. */
export interface Tenant extends Revisioned {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly status: TenantStatus
  readonly plan: string
  readonly domains: readonly string[]
  readonly partnerId?: string
  readonly billingInfo: BillingInfo
  readonly handles: { readonly authentikGroup?: string; readonly ocisSpace?: string; readonly stalwartDomain?: string }
  readonly provisioning: { readonly authentik: Integration; readonly stalwart: Integration; readonly ocis: Integration }
}

/** A partner record as the server stores it. */
export interface Partner extends Revisioned {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly domain?: string
  readonly status: 'active' | 'terminated'
  readonly marginPct: number
  readonly contactInfo: { readonly name?: string; readonly email?: string; readonly phone?: string }
  readonly billingInfo: BillingInfo
}

/** A user record as the server stores it. */
export interface User extends Revisioned {
  readonly id: string
  readonly subject?: { readonly issuer: string; readonly sub: string }
  readonly email: string
  readonly emailVerified: boolean
  readonly name: string
  readonly role: Role
  readonly tenantIds: readonly string[]
  readonly platformAdmin: boolean
  readonly active: boolean
  readonly rightsChangedAt?: string
  readonly lastLoginAt?: string
  readonly groups?: readonly string[]
  readonly groupsIssuedAt?: string
}

/** A billing subscription as the server stores it. */
export interface Subscription extends Revisioned {
  readonly id: string
  readonly tenantId: string
  readonly plan: string
  /** Stripe's status; the type also admits values that Stripe may add. */
  readonly status:
    | 'incomplete' | 'incomplete_expired' | 'trialing' | 'active' | 'past_due' | 'canceled' | 'unpaid' | 'paused'
    | (string & {})
  readonly price: {
    /** The amount in minor units; a bigint beyond 2^53. */
    readonly amount: number | bigint
    readonly currency: string
    readonly interval: 'day' | 'week' | 'month' | 'year'
    readonly intervalCount: number
    readonly quantity: number
  }
  readonly stripe: {
    readonly customerId?: string
    readonly subscriptionId?: string
    readonly itemId?: string
    readonly priceId?: string
  }
  readonly periods: {
    readonly currentStart?: string
    readonly currentEnd?: string
    readonly trialEnd?: string
    readonly cancelAtPeriodEnd: boolean
  }
}

/** The part of a flag that administrators edit. */
export interface FlagContent {
  readonly state: State
  readonly pct: number
  readonly scope: Scope
  readonly description: string
}

/** A flag with its description, version and history, as administrators see it. */
export interface Flag extends FlagRule, FlagContent, Revisioned {
  /** Past changes, newest first. */
  readonly history: readonly {
    readonly revision: number
    readonly at: string
    readonly by: string
    readonly before?: FlagContent
    readonly after: FlagContent
  }[]
}

/** An entry of the change log. */
export interface Change {
  readonly revision: number
  readonly at: string
  readonly actor: { readonly id?: string; readonly email?: string }
  readonly action: string
  readonly entity: { readonly kind: string; readonly id: string }
  readonly before: Json
  readonly after: Json
  readonly previousHash: string
  readonly hash: string
}
