//! The four signature algorithms that are accepted (specification section 15.4). No setting adds
//! one.

use crate::Code;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Ps256,
    Es256,
    Ed25519,
}

/// The type of key that an algorithm needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Rsa,
    P256,
    Ed25519,
}

impl Algorithm {
    /// Returns the algorithm with exactly this name. `EdDSA` is the name of RFC 8037 and includes
    /// Ed448, for which no key is accepted; `Ed25519` is the name of RFC 9864.
    pub(super) fn from_name(name: &str) -> Option<Algorithm> {
        match name {
            "RS256" => Some(Algorithm::Rs256),
            "PS256" => Some(Algorithm::Ps256),
            "ES256" => Some(Algorithm::Es256),
            "EdDSA" | "Ed25519" => Some(Algorithm::Ed25519),
            _ => None,
        }
    }

    /// Returns the code for a name that is not accepted. The names of the two classic attacks, in
    /// any case, have codes of their own.
    pub(super) fn rejection_code(name: &str) -> Code {
        match name.to_ascii_uppercase() {
            name if name == "NONE" => Code::TokenAlgNone,
            name if name.starts_with("HS") => Code::TokenAlgSymmetric,
            _ => Code::TokenAlgRefused,
        }
    }

    pub(super) fn family(self) -> Family {
        match self {
            Algorithm::Rs256 | Algorithm::Ps256 => Family::Rsa,
            Algorithm::Es256 => Family::P256,
            Algorithm::Ed25519 => Family::Ed25519,
        }
    }

    /// Returns the algorithm of the crate that checks signatures.
    pub(super) fn to_jsonwebtoken(self) -> jsonwebtoken::Algorithm {
        match self {
            Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
            Algorithm::Ps256 => jsonwebtoken::Algorithm::PS256,
            Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
            Algorithm::Ed25519 => jsonwebtoken::Algorithm::EdDSA,
        }
    }
}
