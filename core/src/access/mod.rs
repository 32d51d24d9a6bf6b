//! Authorization: who may do what (specification section 13).
//!
//! [`decide`] is a total function of a principal, an action and a resource. It denies every action
//! that no rule allows, and it returns a reason with every decision.
//!
//! The rules read an `AccessFacts`, which has two implementations: one over owned values and one
//! that reads a request document without copying it. With owned values alone, the WASM module would
//! be 4 % larger, and a decision on a document would take a fifth longer (a row of the Rust
//! benchmark).

mod action;
mod decide;
mod decision;
mod facts;
#[cfg(feature = "host")]
mod host;
mod principal;
mod request;
mod request_document;
mod resource;

pub use action::Action;
pub use decide::decide;
pub use decision::{AccessReason, Decision, OPERATOR_GUARD_MESSAGE};
pub use principal::{DEFAULT_OPERATOR_AUDIENCE, MachineKey, Person, Principal, UserRecord};
pub use request::AccessRequest;
pub use resource::{Resource, ResourceTenant, ResourceUser};
