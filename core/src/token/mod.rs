//! Strict verification of access tokens: a fixed policy around one signature check, over a key set that the caller provides.
//!
//! The order is: size, form, header, key, signature, claims. Nothing of the claims is read before the signature holds, and no
//! part of a token is ever followed or trusted for finding a key (`jku`, `x5u`, `jwk`, `x5c` are not looked at).

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
