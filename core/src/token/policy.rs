//! What the operator of a service says about the tokens it accepts. Everything else is fixed.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use super::kind::TokenRule;
use super::reading::is_plain;
use crate::json::{Decode, Kind, ProblemKind, Value, decode_bytes, deserialize_by_decoding};
use crate::limits::{MAX_DOCUMENT_BYTES, MAX_TOKEN_LEEWAY_SECONDS, MAX_TOKEN_LIFETIME_SECONDS};
use crate::{Code, Error};

const DEFAULT_LEEWAY_SECONDS: u32 = 5;
const DEFAULT_MAX_LIFETIME_SECONDS: u32 = 24 * 3600;
const MICROS: i64 = 1_000_000;

/// Whose tokens are accepted, for which audiences, how far clocks may differ, and how access tokens are recognised.
///
/// Issuers and audiences are compared byte by byte: a trailing slash makes another issuer. A token is accepted where any of
/// its audiences is one of the policy's. An authorized party (`azp`) that it names must be one of them too. Issuers that
/// need different rules need a policy each.
///
/// ```
/// use dezky_core::token::TokenPolicy;
/// let policy = TokenPolicy::new(["https://id.example.org/"], ["dezky-portal", "dezky-operator"])?
///     .leeway_seconds(10)?
///     .max_lifetime_seconds(3600)?;
/// let same = TokenPolicy::from_json(br#"{
///     "issuers": ["https://id.example.org/"], "audiences": ["dezky-portal", "dezky-operator"],
///     "leewaySeconds": 10, "maxLifetimeSeconds": 3600
/// }"#)?;
/// assert_eq!(policy, same);
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenPolicy {
    issuers: Vec<String>,
    audiences: Vec<String>,
    leeway_seconds: u32,
    max_lifetime_seconds: u32,
    rule: TokenRule,
}

impl TokenPolicy {
    /// A policy with a leeway of 5 seconds, a longest lifetime of a day and the rule [`TokenRule::Generic`].
    ///
    /// ```
    /// use dezky_core::Code;
    /// use dezky_core::token::TokenPolicy;
    /// let error = TokenPolicy::new(["https://id.example.org/"], [""; 0]).unwrap_err();
    /// assert_eq!((error.code, error.path.as_str()), (Code::TokenPolicyAudiences, "/audiences"));
    /// ```
    pub fn new(
        issuers: impl IntoIterator<Item = impl Into<String>>,
        audiences: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<TokenPolicy, Error> {
        let policy = TokenPolicy {
            issuers: issuers.into_iter().map(Into::into).collect(),
            audiences: audiences.into_iter().map(Into::into).collect(),
            leeway_seconds: DEFAULT_LEEWAY_SECONDS,
            max_lifetime_seconds: DEFAULT_MAX_LIFETIME_SECONDS,
            rule: TokenRule::default(),
        };
        let issuers = unfit(&policy.issuers, Code::TokenPolicyIssuers, "/issuers");
        let audiences = unfit(&policy.audiences, Code::TokenPolicyAudiences, "/audiences");
        Error::unless_clean(issuers.into_iter().chain(audiences).collect(), policy)
    }

    /// Reads `{ issuers, audiences, leewaySeconds?, maxLifetimeSeconds?, rule? }`.
    ///
    /// ```
    /// use dezky_core::Code;
    /// use dezky_core::token::TokenPolicy;
    /// let error = TokenPolicy::from_json(br#"{ "issuers": [], "audiences": ["a"], "leewaySeconds": 60 }"#).unwrap_err();
    /// assert_eq!(error.all().map(|each| each.code).collect::<Vec<_>>(), [Code::TokenPolicyIssuers, Code::TokenPolicyLeeway]);
    /// ```
    pub fn from_json(bytes: &[u8]) -> Result<TokenPolicy, Error> {
        decode_bytes(bytes, MAX_DOCUMENT_BYTES)
    }

    /// How far the clocks of issuer and service may differ, 0 to 30 seconds. It softens `exp`, `nbf` and `iat` alike.
    ///
    /// ```
    /// use dezky_core::token::TokenPolicy;
    /// assert!(TokenPolicy::new(["i"], ["a"])?.leeway_seconds(31).is_err());
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn leeway_seconds(self, leeway_seconds: u32) -> Result<TokenPolicy, Error> {
        match leeway_seconds <= MAX_TOKEN_LEEWAY_SECONDS {
            true => Ok(TokenPolicy { leeway_seconds, ..self }),
            false => Err(Error::new(Code::TokenPolicyLeeway, "/leewaySeconds")),
        }
    }

    /// The longest time from `iat` to `exp`, 1 second to 31 days: a token made for longer is a mistake or a forgery.
    ///
    /// ```
    /// use dezky_core::token::TokenPolicy;
    /// assert!(TokenPolicy::new(["i"], ["a"])?.max_lifetime_seconds(0).is_err());
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn max_lifetime_seconds(self, max_lifetime_seconds: u32) -> Result<TokenPolicy, Error> {
        match (1..=MAX_TOKEN_LIFETIME_SECONDS).contains(&max_lifetime_seconds) {
            true => Ok(TokenPolicy { max_lifetime_seconds, ..self }),
            false => Err(Error::new(Code::TokenPolicyLifetime, "/maxLifetimeSeconds")),
        }
    }

    /// How the issuers' access tokens are told from their ID tokens.
    ///
    /// ```
    /// use dezky_core::token::{TokenPolicy, TokenRule};
    /// let policy = TokenPolicy::new(["i"], ["a"])?.rule(TokenRule::Authentik);
    /// let same = TokenPolicy::from_json(br#"{ "issuers": ["i"], "audiences": ["a"], "rule": "authentik" }"#)?;
    /// assert_eq!(policy, same);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn rule(self, rule: TokenRule) -> TokenPolicy {
        TokenPolicy { rule, ..self }
    }

    pub(super) fn token_rule(&self) -> TokenRule {
        self.rule
    }

    pub(super) fn trusts(&self, issuer: &str) -> bool {
        self.issuers.iter().any(|known| known == issuer)
    }

    pub(super) fn serves(&self, audience: &str) -> bool {
        self.audiences.iter().any(|known| known == audience)
    }

    pub(super) fn leeway_micros(&self) -> i64 {
        i64::from(self.leeway_seconds) * MICROS
    }

    pub(super) fn max_lifetime_micros(&self) -> i64 {
        i64::from(self.max_lifetime_seconds) * MICROS
    }
}

/// The first name that no token can carry, or, where there is none at all, the place where one is needed.
fn first_unfit(names: &[String]) -> Option<usize> {
    if names.is_empty() { Some(0) } else { names.iter().position(|name| !is_plain(name, usize::MAX)) }
}

fn unfit(names: &[String], code: Code, path: &str) -> Option<Error> {
    let index = first_unfit(names)?;
    Some(Error::new(code, if names.is_empty() { path.to_owned() } else { format!("{path}/{index}") }))
}

impl Decode for TokenPolicy {
    fn decode(value: Value<'_>) -> TokenPolicy {
        let object = value.object();
        let leeway = (DEFAULT_LEEWAY_SECONDS, 0, MAX_TOKEN_LEEWAY_SECONDS);
        let lifetime = (DEFAULT_MAX_LIFETIME_SECONDS, 1, MAX_TOKEN_LIFETIME_SECONDS);
        TokenPolicy {
            issuers: names(object, "issuers", Code::TokenPolicyIssuers),
            audiences: names(object, "audiences", Code::TokenPolicyAudiences),
            leeway_seconds: seconds(object, "leewaySeconds", leeway, Code::TokenPolicyLeeway),
            max_lifetime_seconds: seconds(object, "maxLifetimeSeconds", lifetime, Code::TokenPolicyLifetime),
            rule: object.or("rule", TokenRule::default()),
        }
    }
}

fn names(object: Value<'_>, member: &str, otherwise: Code) -> Vec<String> {
    let list = object.required_value(member);
    let names: Vec<String> = Vec::decode(list);
    let is_judged = list.kind() == Kind::Array
        && list.items().count() == names.len()
        && list.items().all(|item| item.kind() == Kind::Text);
    if let Some(index) = first_unfit(&names).filter(|_| is_judged) {
        list.items().nth(index).unwrap_or(list).note(ProblemKind::Form, otherwise);
    }
    names
}

/// Whole seconds, given what they are where absent, their least and their most.
fn seconds(object: Value<'_>, member: &str, (default, least, most): (u32, u32, u32), otherwise: Code) -> u32 {
    let Some(value) = object.member(member) else { return default };
    value.whole(least.into(), most.into(), otherwise).map_or(default, |seconds| seconds as u32)
}

deserialize_by_decoding!(TokenPolicy);
