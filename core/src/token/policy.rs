//! The policy of a service: the tokens that it accepts (specification section 15.1).

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use super::kind::TokenRule;
use super::reading::is_plain;
use crate::json::{Decode, Kind, ProblemKind, Value, decode_bytes, deserialize_by_decoding};
use crate::limits::{MAX_DOCUMENT_BYTES, MAX_TOKEN_LEEWAY_SECONDS, MAX_TOKEN_LIFETIME_SECONDS};
use crate::{Code, Error};

const DEFAULT_LEEWAY_SECONDS: u32 = 5;
const DEFAULT_MAX_LIFETIME_SECONDS: u32 = 24 * 3600;
const MICROS: i64 = 1_000_000;

/// The issuers, audiences, times and kinds of the tokens that a service accepts.
///
/// Issuers and audiences are compared byte by byte, so a trailing slash makes another issuer. At
/// least one audience of a token, and its authorized party (`azp`) if it has one, must be an
/// audience of the policy. Issuers that need different rules need a policy each.
///
/// ```
/// use dezky_core::token::TokenPolicy;
/// let policy = TokenPolicy::new(["https://id.example.org/"], ["dezky-portal", "dezky-operator"])?
///     .with_leeway_seconds(10)?
///     .with_max_lifetime_seconds(3600)?;
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
    /// Creates a policy with a leeway of 5 seconds, a longest lifetime of a day and the rule
    /// [`TokenRule::Generic`].
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
        let issuers = check_names(&policy.issuers, Code::TokenPolicyIssuers, "/issuers");
        let audiences = check_names(&policy.audiences, Code::TokenPolicyAudiences, "/audiences");
        Error::unless_clean(issuers.into_iter().chain(audiences).collect(), policy)
    }

    /// Reads a policy document:
    /// `{ issuers, audiences, leewaySeconds?, maxLifetimeSeconds?, rule? }`.
    ///
    /// ```
    /// use dezky_core::Code;
    /// use dezky_core::token::TokenPolicy;
    /// let policy = br#"{ "issuers": [], "audiences": ["a"], "leewaySeconds": 60 }"#;
    /// let error = TokenPolicy::from_json(policy).unwrap_err();
    /// let codes: Vec<_> = error.all().map(|each| each.code).collect();
    /// assert_eq!(codes, [Code::TokenPolicyIssuers, Code::TokenPolicyLeeway]);
    /// ```
    pub fn from_json(bytes: &[u8]) -> Result<TokenPolicy, Error> {
        decode_bytes(bytes, MAX_DOCUMENT_BYTES)
    }

    /// Sets the allowed difference between the clocks of issuer and service, 0 to 30 seconds. It
    /// applies to `exp`, `nbf` and `iat`.
    pub fn with_leeway_seconds(self, leeway_seconds: u32) -> Result<TokenPolicy, Error> {
        match leeway_seconds <= MAX_TOKEN_LEEWAY_SECONDS {
            true => Ok(TokenPolicy { leeway_seconds, ..self }),
            false => Err(Error::new(Code::TokenPolicyLeeway, "/leewaySeconds")),
        }
    }

    /// Sets the longest time from `iat` to `exp`, 1 second to 31 days.
    pub fn with_max_lifetime_seconds(self, max_lifetime_seconds: u32) -> Result<TokenPolicy, Error> {
        match (1..=MAX_TOKEN_LIFETIME_SECONDS).contains(&max_lifetime_seconds) {
            true => Ok(TokenPolicy { max_lifetime_seconds, ..self }),
            false => Err(Error::new(Code::TokenPolicyLifetime, "/maxLifetimeSeconds")),
        }
    }

    /// Sets the rule that tells access tokens from ID tokens.
    pub fn with_rule(self, rule: TokenRule) -> TokenPolicy {
        TokenPolicy { rule, ..self }
    }

    pub(super) fn rule(&self) -> TokenRule {
        self.rule
    }

    pub(super) fn accepts_issuer(&self, issuer: &str) -> bool {
        self.issuers.iter().any(|accepted| accepted == issuer)
    }

    pub(super) fn accepts_audience(&self, audience: &str) -> bool {
        self.audiences.iter().any(|accepted| accepted == audience)
    }

    pub(super) fn leeway_micros(&self) -> i64 {
        i64::from(self.leeway_seconds) * MICROS
    }

    pub(super) fn max_lifetime_micros(&self) -> i64 {
        i64::from(self.max_lifetime_seconds) * MICROS
    }
}

/// Returns the index of the first name that is not plain, or 0 if the list is empty.
fn first_invalid(names: &[String]) -> Option<usize> {
    if names.is_empty() { Some(0) } else { names.iter().position(|name| !is_plain(name, usize::MAX)) }
}

fn check_names(names: &[String], code: Code, path: &str) -> Option<Error> {
    let index = first_invalid(names)?;
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

fn names(object: Value<'_>, member: &str, code: Code) -> Vec<String> {
    let list = object.required_value(member);
    let names: Vec<String> = Vec::decode(list);
    // Items of another type have been noted, and then the list is not checked further.
    let is_complete = list.kind() == Kind::Array
        && list.items().count() == names.len()
        && list.items().all(|item| item.kind() == Kind::Text);
    if let Some(index) = first_invalid(&names).filter(|_| is_complete) {
        list.items().nth(index).unwrap_or(list).note(ProblemKind::Form, code);
    }
    names
}

/// Reads whole seconds, with their default, minimum and maximum.
fn seconds(object: Value<'_>, member: &str, (default, min, max): (u32, u32, u32), code: Code) -> u32 {
    let Some(value) = object.member(member) else { return default };
    value.whole(min.into(), max.into(), code).map_or(default, |seconds| seconds as u32)
}

deserialize_by_decoding!(TokenPolicy);
