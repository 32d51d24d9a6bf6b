//! Describes why a token is rejected: each claim at fault, the error, and the accepted values.

use dezky_core::{Code, Error};

/// The longest claim name that a description repeats.
const MAX_NAME: usize = 40;

/// The issuers and audiences that tokens may name.
#[derive(Debug)]
pub(super) struct AcceptedNames {
    pub(super) issuers: Vec<String>,
    pub(super) audiences: Vec<String>,
}

impl AcceptedNames {
    /// Describes every error of a token. Repeats names of claims, never values.
    ///
    /// Only the bearer of a genuine token sees the accepted issuers and audiences, because claims
    /// are checked after the signature.
    pub(super) fn explain(&self, error: &Error) -> String {
        let faults: Vec<String> = error.all().map(|each| self.fault(each)).collect();
        format!("The access token is not accepted. {}", faults.join("; "))
    }

    fn fault(&self, error: &Error) -> String {
        let (part, message) = (part(&error.path), &error.message);
        let accepted = match error.code {
            Code::TokenIssuerUnknown => &self.issuers,
            Code::TokenAudienceOther | Code::TokenPartyOther => &self.audiences,
            _ => return format!("{part}: {message}"),
        };
        format!("{part}: {message}; accepted here: {}", accepted.join(", "))
    }
}

/// The part of the token at a path: `claim aud` for `/claims/aud`.
fn part(path: &str) -> String {
    let name = |prefix: &str| path.strip_prefix(prefix).filter(|name| !name.is_empty());
    match (name("/claims/"), name("/header/")) {
        (Some(name), _) => named("claim", name),
        (_, Some(name)) => named("header", name),
        _ => match path {
            "/claims" => "claims".to_owned(),
            "/header" => "header".to_owned(),
            "/signature" => "signature".to_owned(),
            _ => "token".to_owned(),
        },
    }
}

/// Omits long names and names with unusual characters, because a forger can choose them and logs
/// contain them.
fn named(what: &str, name: &str) -> String {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'/'));
    if is_plain && name.len() <= MAX_NAME { format!("{what} {name}") } else { what.to_owned() }
}
