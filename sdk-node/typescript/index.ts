/** The main entry of `@dezky/sdk-node`: flags, access, the population and the model. */
import { load } from './load.js'

/** The engine of this process. Both engines give identical answers. */
export const engine: 'native' | 'wasm' = load()

export { can, changedKeys, connect, DezkyError, rolloutPosition, Ruleset, validate, World } from './shared.js'
export type {
  AccessQuestion, AccessReason, Action, Axis, BillingInfo, Change, Client, ClientCode, ClientEvents, ClientStatus, Code,
  ConnectOptions, Counts, Decision, Document, Edit, EditStep, Explanation, Flag, FlagContent, FlagPatch, FlagRule,
  FlagRuleInput, Flags, HostCode, Integration, Json, Ladder, Partner, Plan, PlanPair, PlanWarning, Principal, Problem,
  Reason, Resource, Results, Revisioned, Role, Scope, Snapshot, State, Subject, Subscription, Tenant, TenantStatus, User,
  UserRecord, Validation, WorldDocument,
} from './shared.js'
