/** The documents that go in and the answers that come out, flags and access. */
export type * from './model.js'

/** A document: a plain value, or its JSON as text or as UTF-8 bytes. */
export type Document<Value> = Value | string | Uint8Array

/** The tenant that flags are evaluated for. */
export interface Subject {
  readonly tenantId: string
  readonly tenantSlug: string
  readonly plan: string
  readonly partnerSlug?: string | null | undefined
  /** The snapshot's own unless given. */
  readonly environment?: string | null | undefined
}

export type State = 'off' | 'on' | 'targeted' | 'rollout'

export type Axis = 'plans' | 'tenantSlugs' | 'partnerSlugs' | 'environments'

/** Whom a flag concerns: an empty axis lets everybody in. */
export type Scope = { readonly [axis in Axis]: readonly string[] }

/** A flag as evaluation sees it. */
export interface FlagRule {
  readonly key: string
  readonly state: State
  /** 0 to 100, at most two decimals. */
  readonly pct: number
  readonly scope: Scope
}

/** A flag as it may be written: what is absent is 0 or empty. */
export interface FlagRuleInput {
  readonly key: string
  readonly state: State
  readonly pct?: number | null | undefined
  readonly scope?: { readonly [axis in Axis]?: readonly string[] | null | undefined } | null | undefined
}

/** The canonical form of a snapshot: sorted, and whole. */
export interface Snapshot {
  readonly format: 1
  readonly revision: number
  readonly environment: string
  readonly flags: readonly FlagRule[]
}

export type Reason =
  | 'off' | 'on' | 'empty_scope' | 'out_of_scope' | 'targeted' | 'in_rollout' | 'out_of_rollout' | 'unknown_flag'

/** Why a flag is on or off. */
export interface Explanation<Key extends string = string> {
  readonly key: Key
  readonly enabled: boolean
  readonly reason: Reason
  /** The first axis that leaves the tenant out: with `out_of_scope`. */
  readonly axis?: Axis
  /** 0 to 99.99: with `in_rollout` and `out_of_rollout`, as `pct` is. */
  readonly position?: number
  readonly pct?: number
}

/** One tenant's flags as a server hands them to a browser. */
export interface Results<Key extends string = string> {
  readonly revision: number
  readonly environment: string
  readonly flags: Readonly<Record<Key, boolean>>
}

export type Role = 'owner' | 'admin' | 'member'

export type TenantStatus = 'pending' | 'active' | 'suspended' | 'terminated'

/** What the database says of a user: rights come from here, never from the token. */
export interface UserRecord {
  readonly id: string
  readonly active: boolean
  readonly platformAdmin: boolean
  readonly role: Role
  readonly tenantIds: readonly string[]
}

/** Who asks: a person with a verified token, and their record where there is one; or a machine key. */
export type Principal =
  | {
      readonly subject: string
      readonly audiences: readonly string[]
      readonly user?: UserRecord | null | undefined
      /** `dezky-operator` unless given. */
      readonly operatorAudience?: string | null | undefined
    }
  | { readonly key: { readonly kind: 'server' } | { readonly kind: 'tenant'; readonly tenantId: string } }

/** What an action is about. */
export interface Resource {
  readonly tenantId?: string | null | undefined
  /** `active` unless given. */
  readonly tenantStatus?: TenantStatus | null | undefined
  /** The fields that `tenant.update` would change. */
  readonly fields?: readonly string[] | null | undefined
  readonly userId?: string | null | undefined
  readonly userTenantIds?: readonly string[] | null | undefined
  readonly lastActiveAdmin?: boolean | null | undefined
}

export type Action =
  | 'tenant.read' | 'tenant.users.read' | 'tenant.list' | 'tenant.create' | 'tenant.update' | 'tenant.delete'
  | 'tenant.suspend' | 'tenant.resume' | 'tenant.reconcile'
  | 'partner.list' | 'partner.read' | 'partner.create' | 'partner.update' | 'partner.delete'
  | 'subscription.read' | 'subscription.list' | 'subscription.create' | 'subscription.update' | 'subscription.delete'
  | 'user.me' | 'user.read' | 'user.list' | 'user.update' | 'user.delete' | 'user.invite' | 'user.deactivate'
  | 'flag.read' | 'flag.list' | 'flag.create' | 'flag.update' | 'flag.delete' | 'flag.plan' | 'flag.evaluate'
  | 'snapshot.read' | 'snapshot.stream' | 'audit.read' | 'key.create' | 'key.list' | 'key.revoke'

/** A whole question about access. */
export interface AccessQuestion {
  readonly principal: Principal
  readonly action: Action
  readonly resource?: Resource | null | undefined
}

export type AccessReason =
  | 'allowed_operator' | 'allowed_platform_admin' | 'allowed_member' | 'allowed_tenant_admin' | 'allowed_self' | 'allowed_key'
  | 'denied_no_user' | 'denied_inactive_user' | 'denied_operator_audience' | 'denied_not_platform_admin'
  | 'denied_not_member' | 'denied_role' | 'denied_field' | 'denied_tenant_suspended' | 'denied_tenant_terminated'
  | 'denied_last_admin' | 'denied_key_scope'

export interface Decision {
  readonly allowed: boolean
  readonly reason: AccessReason
}

/** One thing that is wrong: a stable code, a JSON Pointer to the value at fault, and a sentence for people. */
export interface Problem {
  readonly code: Code
  readonly path: string
  readonly message: string
}

export type Code =
  | 'document_too_large' | 'invalid_utf8' | 'invalid_json' | 'too_deep' | 'duplicate_member'
  | 'missing' | 'unknown_field' | 'wrong_type' | 'too_many_items' | 'unknown_format' | 'invalid_revision' | 'invalid_number'
  | 'invalid_flag_key' | 'invalid_plan' | 'invalid_environment' | 'invalid_slug' | 'invalid_id'
  | 'invalid_pct' | 'pct_precision' | 'invalid_email' | 'invalid_domain' | 'invalid_currency' | 'invalid_time'
  | 'invalid_text' | 'invalid_hash' | 'invalid_period'
  | 'unknown_state' | 'unknown_status' | 'unknown_role' | 'unknown_interval' | 'unknown_action' | 'unknown_key_kind' | 'unknown_edit'
  | 'duplicate_flag' | 'duplicate_id' | 'duplicate_slug' | 'duplicate_value'
  | 'unknown_flag' | 'unknown_tenant' | 'unknown_partner' | 'empty_edit'
  | HostCode
  | ClientCode

/** A host value that cannot be read, an engine that is not loaded yet, an object that was freed. */
export type HostCode = 'unreadable' | 'not_ready' | 'released'

/** What can be wrong between a live client and its server. */
export type ClientCode =
  | 'key_refused' | 'unreachable' | 'rate_limited' | 'unexpected_status' | 'bad_snapshot' | 'digest_mismatch' | 'older_revision'
  | 'file_unusable' | 'deadline' | 'invalid_option' | 'insecure_url'
