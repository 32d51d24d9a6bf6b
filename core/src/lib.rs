#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![no_std]

extern crate alloc;
#[cfg(any(test, feature = "client", feature = "openfeature", feature = "token"))]
extern crate std;

mod access;
#[cfg(feature = "client")]
mod client;
mod codes;
mod error;
mod flags;
mod hash;
mod json;
pub mod limits;
mod model;
mod names;
#[cfg(feature = "openfeature")]
mod openfeature;
#[cfg(feature = "schema")]
mod schema;
mod time;
#[cfg(feature = "token")]
mod token;
mod world;

pub use access::{
    AccessReason, AccessRequest, Action, DEFAULT_OPERATOR_AUDIENCE, Decision, MachineKey,
    OPERATOR_GUARD_MESSAGE, Person, Principal, Resource, ResourceTenant, ResourceUser, Role, UserRecord,
    decide,
};
#[cfg(feature = "client")]
pub use client::{
    Client, ClientCode, ClientError, ClientEvent, ClientStatus, ConnectOptions, CurrentRuleset, HandlerId,
    Key, PastDeadline,
};
#[cfg(feature = "client")]
#[doc(hidden)]
pub use client::{Timing, announcements, fetched, subject_of};
pub use codes::Code;
pub use error::Error;
pub use flags::{
    Axis, ELSEWHERE, Evaluation, Explanation, FlagRule, Reason, Ruleset, Scope, ScopePatch, Snapshot, State,
    Subject, SubjectDocument, in_rollout, rollout_position,
};
pub use json::{JsonDocument, JsonPlace, read_json};
pub use model::{
    Actor, BillingInfo, Change, ChangeContent, ContactInfo, DocumentKind, Edited, Editor, Entity, Flag,
    FlagContent, FlagHistory, FlagPatch, FlagWarning, Handles, IdentitySubject, Integration,
    IntegrationStatus, Interval, Partner, PartnerStatus, Periods, Price, Provisioning, Revisioned, StripeIds,
    Subscription, SubscriptionStatus, Tenant, TenantStatus, User, monthly_recurring_revenue, verify_chain,
};
pub use names::{
    Currency, Digest, Domain, Email, Environment, FlagKey, Id, Label, Percent, PlanKey, Prose, Slug,
    nearest_name,
};
#[cfg(feature = "openfeature")]
pub use openfeature::OpenFeatureProvider;
pub use time::Timestamp;
#[cfg(feature = "token")]
pub use token::{Claims, KeySet, TokenPolicy, TokenRule, TokenVerifier};
pub use world::{
    Counts, Edit, EditStep, Ladder, LadderStep, PartnerMove, PartnerTotal, Plan, PlanPair, PlanTotal,
    TenantMove, Warning, World, WorldPartner, WorldTenant,
};
