//! Strict verification of access tokens against a key set that the caller provides (specification
//! section 15).
//!
//! The order of the checks is: size, form, header, key, signature, claims. The claims are read only
//! after the signature has been verified. The header never provides a key: `jku`, `x5u`, `jwk` and
//! `x5c` are ignored.

mod algorithm;
mod claim_forms;
mod claim_rules;
mod claims;
mod curves;
mod findings;
mod header;
mod key;
mod key_set;
mod kind;
mod policy;
mod reading;
mod rsa;
mod segments;
mod verifier;

pub use claims::Claims;
pub use key_set::KeySet;
pub use kind::TokenRule;
pub use policy::TokenPolicy;
pub use verifier::TokenVerifier;
