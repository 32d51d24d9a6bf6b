/** The documents of the population and of the model, and the answers about them. */
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

/** What somebody is about to change, in order, as one. */
export interface Edit {
  readonly edits: readonly EditStep[]
}

export type EditStep =
  | { readonly kind: 'putFlag'; readonly flag: FlagRuleInput }
  | { readonly kind: 'patchFlag'; readonly key: string; readonly patch: FlagPatch }
  | { readonly kind: 'deleteFlag'; readonly key: string }
  | {
      readonly kind: 'moveTenant'
      readonly tenantId: string
      readonly plan?: string | null | undefined
      /** `null` takes the tenant from its partner. */
      readonly partnerSlug?: string | null | undefined
    }

/** What `PATCH /flags/{key}` takes: absent members stay as they are, and `null` resets one to its default. */
export interface FlagPatch {
  readonly state?: State | undefined
  readonly pct?: number | null | undefined
  /** Axes that are absent stay; `null` empties one. */
  readonly scope?: { readonly [axis in Axis]?: readonly string[] | null | undefined } | null | undefined
  readonly description?: string | null | undefined
  /** Taken as `PATCH` takes it; a plan does not depend on it. */
  readonly planDigest?: string | null | undefined
}

export interface PlanPair {
  readonly key: string
  readonly tenantId: string
}

/** Who gains and who loses by an edit, exactly. */
export interface Plan {
  readonly baseRevision: number
  /** Over the edit and its effect: while it stays the same, so does the plan. */
  readonly digest: string
  readonly gained: readonly PlanPair[]
  readonly lost: readonly PlanPair[]
  readonly byPlan: readonly { readonly plan: string; readonly gained: number; readonly lost: number }[]
  readonly byPartner: readonly { readonly partnerSlug: string | null; readonly gained: number; readonly lost: number }[]
  /** What the edit says that is seldom meant, 20 at most. The digest does not depend on it. */
  readonly warnings: readonly PlanWarning[]
}

/**
 * `targets_nobody`: a targeted flag without a scope. `scope_ignored`: a scope beside `on`. `unknown_name`: a plan, tenant or partner that nobody
 * has; a server judges environments too.
 */
export interface PlanWarning {
  readonly code: 'targets_nobody' | 'scope_ignored' | 'unknown_name'
  /** A JSON Pointer into the edit. Values on an axis are counted in their order in the canonical form: sorted. */
  readonly path: string
  /** The name that nobody has, and the nearest that somebody has, if any is near. */
  readonly name?: string
  readonly nearest?: string
}

/** The tenants in a flag's scope in the order in which a rising percentage includes them. */
export interface Ladder {
  readonly key: string
  /** `pct` is the smallest percentage that includes the tenant. */
  readonly steps: readonly { readonly tenantId: string; readonly position: number; readonly pct: number }[]
}

export interface Counts {
  readonly on: number
  readonly inScope: number
  readonly registered: number
}

/** Whole numbers beyond 2^53 are bigint, so that no digit is lost. */
export type Json = null | boolean | number | bigint | string | readonly Json[] | { readonly [name: string]: Json }

/** Times are RFC 3339 in UTC. */
export interface Revisioned {
  readonly createdAt: string
  readonly updatedAt: string
  readonly version: number
}

export interface BillingInfo {
  readonly companyName?: string
  readonly vatId?: string
  readonly address?: string
  readonly email?: string
  readonly currency?: string
}

export interface Integration {
  readonly status: 'pending' | 'ok' | 'error' | 'disabled'
  readonly error?: string
}

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

export interface Subscription extends Revisioned {
  readonly id: string
  readonly tenantId: string
  readonly plan: string
  /** Stripe's words, and room for one that Stripe may yet invent. */
  readonly status:
    | 'incomplete' | 'incomplete_expired' | 'trialing' | 'active' | 'past_due' | 'canceled' | 'unpaid' | 'paused'
    | (string & {})
  readonly price: {
    /** In minor units; a bigint beyond 2^53. */
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

export interface FlagContent {
  readonly state: State
  readonly pct: number
  readonly scope: Scope
  readonly description: string
}

/** A flag as the administration sees it. */
export interface Flag extends FlagRule, FlagContent, Revisioned {
  /** Newest first. */
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
