/** The types of flags, access and errors; model.ts has those of the model. */

/** A document: a plain value, or its JSON as a string or as UTF-8 bytes. */
export type Document<Value> = Value | string | Uint8Array

/** A tenant as flag evaluation sees it. */
export interface Subject {
  readonly tenantId: string
  readonly tenantSlug: string
  readonly plan: string
  readonly partnerSlug?: string | null | undefined
  /** Defaults to the environment of the snapshot. */
  readonly environment?: string | null | undefined
}

/** The state of a flag: off or on for all tenants, or decided by scope or by rollout. */
export type State = 'off' | 'on' | 'targeted' | 'rollout'

/** A list of a flag's scope. */
export type Axis = 'plans' | 'tenantSlugs' | 'partnerSlugs' | 'environments'

/** The tenants that a flag can match. An empty axis matches every tenant. */
export type Scope = { readonly [axis in Axis]: readonly string[] }

/** A flag's rule as evaluation sees it. */
export interface FlagRule {
  readonly key: string
  readonly state: State
  /** The rollout percentage: 0 to 100, at most two decimals. */
  readonly pct: number
  readonly scope: Scope
}

/** A flag's rule as input: `pct` defaults to 0, axes default to empty. */
export interface FlagRuleInput {
  readonly key: string
  readonly state: State
  readonly pct?: number | null | undefined
  readonly scope?: { readonly [axis in Axis]?: readonly string[] | null | undefined } | null | undefined
}

/** The canonical form of a snapshot: sorted, with every default filled in. */
export interface Snapshot {
  readonly format: 1
  readonly revision: number
  readonly environment: string
  readonly flags: readonly FlagRule[]
}

/** The reason codes of flag evaluation. */
export type Reason =
  | 'off' | 'on' | 'empty_scope' | 'out_of_scope' | 'targeted' | 'in_rollout' | 'out_of_rollout' | 'unknown_flag'

/** The value of one flag for one tenant, with its reason. */
export interface Explanation<Key extends string = string> {
  readonly key: Key
  readonly enabled: boolean
  readonly reason: Reason
  /** The first axis that excludes the tenant; present with `out_of_scope`. */
  readonly axis?: Axis
  /**
   * The tenant's position, 0 to 99.99; present with `in_rollout` and `out_of_rollout`, like `pct`.
   */
  readonly position?: number
  readonly pct?: number
}

/** One tenant's evaluated flags as a server sends them to a browser. */
export interface Results<Key extends string = string> {
  readonly revision: number
  readonly environment: string
  readonly flags: Readonly<Record<Key, boolean>>
}

/** The role of a user in their tenants. */
export type Role = 'owner' | 'admin' | 'member'

/** The lifecycle status of a tenant. */
export type TenantStatus = 'pending' | 'active' | 'suspended' | 'terminated'

/** A user's record in the database. Rights derive from this record, never from the token. */
export interface UserRecord {
  readonly id: string
  readonly active: boolean
  readonly platformAdmin: boolean
  readonly role: Role
  readonly tenantIds: readonly string[]
}

/**
 * The caller: a person with a verified token and, if it exists, their user record; or a machine
 * key.
 */
export type Principal =
  | {
      readonly subject: string
      readonly audiences: readonly string[]
      readonly user?: UserRecord | null | undefined
      /** Defaults to `dezky-operator`. */
      readonly operatorAudience?: string | null | undefined
    }
  | { readonly key: { readonly kind: 'server' } | { readonly kind: 'tenant'; readonly tenantId: string } }

/** The target of an action. */
export interface Resource {
  readonly tenantId?: string | null | undefined
  /** Defaults to `active`. */
  readonly tenantStatus?: TenantStatus | null | undefined
  /** The fields that `tenant.update` would change. */
  readonly fields?: readonly string[] | null | undefined
  readonly userId?: string | null | undefined
  readonly userTenantIds?: readonly string[] | null | undefined
  readonly lastActiveAdmin?: boolean | null | undefined
}

/** The actions that `can` decides. */
export type Action =
  | 'tenant.read' | 'tenant.users.read' | 'tenant.list' | 'tenant.create' | 'tenant.update' | 'tenant.delete'
  | 'tenant.suspend' | 'tenant.resume' | 'tenant.reconcile'
  | 'partner.list' | 'partner.read' | 'partner.create' | 'partner.update' | 'partner.delete'
  | 'subscription.read' | 'subscription.list' | 'subscription.create' | 'subscription.update' | 'subscription.delete'
  | 'user.me' | 'user.read' | 'user.list' | 'user.update' | 'user.delete' | 'user.invite' | 'user.deactivate'
  | 'flag.read' | 'flag.list' | 'flag.create' | 'flag.update' | 'flag.delete' | 'flag.plan' | 'flag.evaluate'
  | 'snapshot.read' | 'snapshot.stream' | 'audit.read' | 'key.create' | 'key.list' | 'key.revoke'

/** A complete authorization request. */
export interface AccessQuestion {
  readonly principal: Principal
  readonly action: Action
  readonly resource?: Resource | null | undefined
}

/** The reason codes of authorization decisions. */
export type AccessReason =
  | 'allowed_operator' | 'allowed_platform_admin' | 'allowed_member' | 'allowed_tenant_admin' | 'allowed_self' | 'allowed_key'
  | 'denied_no_user' | 'denied_inactive_user' | 'denied_operator_audience' | 'denied_not_platform_admin'
  | 'denied_not_member' | 'denied_role' | 'denied_field' | 'denied_tenant_suspended' | 'denied_tenant_terminated'
  | 'denied_last_admin' | 'denied_key_scope'

/** An authorization decision with its reason. */
export interface Decision {
  readonly allowed: boolean
  readonly reason: AccessReason
}

/** A problem: a stable code, a JSON Pointer to the invalid value, and a message for people. */
export interface Problem {
  readonly code: Code
  readonly path: string
  readonly message: string
}

/** Every error code, of documents, of the host language and of the live client. */
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

/**
 * `unreadable`: reading a JavaScript value threw; `not_ready`: no engine yet; `released`: after
 * `free`.
 */
export type HostCode = 'unreadable' | 'not_ready' | 'released'

/** The error codes of the live client. */
export type ClientCode =
  | 'key_refused' | 'unreachable' | 'rate_limited' | 'unexpected_status' | 'bad_snapshot' | 'digest_mismatch' | 'older_revision'
  | 'file_unusable' | 'deadline' | 'invalid_option' | 'insecure_url'
