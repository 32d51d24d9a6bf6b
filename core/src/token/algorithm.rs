//! The four signature algorithms that are accepted. There is no setting that adds one.

use crate::Code;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Ps256,
    Es256,
    Ed25519,
}

/// What a key must be for an algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Rsa,
    P256,
    Ed25519,
}

impl Algorithm {
    /// Names are compared exactly. `EdDSA` is RFC 8037's name and covers Ed448 too, which no accepted key can be;
    /// `Ed25519` is RFC 9864's.
    pub(super) fn named(name: &str) -> Option<Algorithm> {
        match name {
            "RS256" => Some(Algorithm::Rs256),
            "PS256" => Some(Algorithm::Ps256),
            "ES256" => Some(Algorithm::Es256),
            "EdDSA" | "Ed25519" => Some(Algorithm::Ed25519),
            _ => None,
        }
    }

    /// Why a name is not accepted: the two classic attacks, in any case of letters, are told apart from mere strangers.
    pub(super) fn refusal(name: &str) -> Code {
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

    /// The name by which the signature primitive knows it.
    pub(super) fn primitive(self) -> jsonwebtoken::Algorithm {
        match self {
            Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
            Algorithm::Ps256 => jsonwebtoken::Algorithm::PS256,
            Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
            Algorithm::Ed25519 => jsonwebtoken::Algorithm::EdDSA,
        }
    }
}
