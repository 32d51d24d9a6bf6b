//! Authorization: who may do what. One total function, a reason with every answer, denied unless a rule allows.

mod action;
mod case;
mod decide;
mod decision;
#[cfg(feature = "host")]
mod document;
mod principal;
mod question;
mod request;
mod resource;

pub use action::Action;
pub use decide::decide;
pub use decision::{AccessReason, Decision, OPERATOR_GUARD_MESSAGE};
pub use principal::{DEFAULT_OPERATOR_AUDIENCE, MachineKey, Person, Principal, UserRecord};
pub use request::AccessRequest;
pub use resource::{Resource, ResourceTenant, ResourceUser};
