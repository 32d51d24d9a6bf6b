//! Why a token is refused, for people: each claim at fault, what is wrong with it, and what is accepted here.

use dezky_core::{Code, Error};

/// A longer name of a claim is not repeated.
const MAX_NAME: usize = 40;

/// The names that tokens are held to.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) issuers: Vec<String>,
    pub(super) audiences: Vec<String>,
}

impl Accepted {
    /// A sentence for each problem. Of the token only names of claims are repeated, never a value.
    ///
    /// Issuers and audiences are told only to the bearer of a token that an issuer's key has signed: claims are judged after
    /// the signature.
    pub(super) fn explain(&self, error: &Error) -> String {
        let faults: Vec<String> = error.all().map(|each| self.fault(each)).collect();
        format!("The access token is not accepted. {}", faults.join("; "))
    }

    fn fault(&self, error: &Error) -> String {
        let (place, message) = (place(&error.path), &error.message);
        let accepted = match error.code {
            Code::TokenIssuerUnknown => &self.issuers,
            Code::TokenAudienceOther | Code::TokenPartyOther => &self.audiences,
            _ => return format!("{place}: {message}"),
        };
        format!("{place}: {message}; accepted here: {}", accepted.join(", "))
    }
}

/// `claim aud`, from `/claims/aud`.
fn place(path: &str) -> String {
    let part = |prefix: &str| path.strip_prefix(prefix).filter(|name| !name.is_empty());
    match (part("/claims/"), part("/header/")) {
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

/// A name that somebody made up stands neither in logs nor in answers.
fn named(what: &str, name: &str) -> String {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'/'));
    if is_plain && name.len() <= MAX_NAME { format!("{what} {name}") } else { what.to_owned() }
}
