//! The operator's settings for issuers, and their validation.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use dezky_core::token::{TokenPolicy, TokenRule};
use reqwest::{Certificate, Url};

use super::address::rejection;
use super::fetch::{IssuerClient, IssuerSource};
use super::timing::KeyTiming;

/// The tolerated difference between the clocks of issuer and server.
pub const LEEWAY_SECONDS: u32 = 5;

/// The trusted issuers, the accepted audiences, and the source of the keys.
#[derive(Debug, Clone, Default)]
pub struct IdentitySettings {
    /// The issuers whose tokens are accepted.
    pub issuers: Vec<TrustedIssuer>,
    /// The address of the only issuer's keys; by default its discovery document names it.
    pub jwks_url: Option<String>,
    /// The accepted audiences, including that of operators.
    pub audiences: Vec<String>,
    /// A PEM file with the root certificates for connections to issuers, in place of the system's.
    pub extra_ca: Option<PathBuf>,
    /// The intervals of the fetches of keys.
    pub timing: KeyTiming,
}

/// A trusted issuer, written `URL` or `URL=RULE` on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedIssuer {
    /// The issuer's name, exactly as its tokens spell it.
    pub name: String,
    /// The rule that tells its access tokens from its ID tokens.
    pub rule: TokenRule,
}

impl TrustedIssuer {
    /// Creates an issuer with the rule `generic`.
    pub fn new(name: impl Into<String>) -> TrustedIssuer {
        TrustedIssuer { name: name.into(), rule: TokenRule::default() }
    }
}

/// The string after `=` is not a rule.
#[derive(Debug, thiserror::Error)]
#[error(
    "unknown rule {0:?}: the rules are {rules}; if the address itself contains a =, append =generic",
    rules = TokenRule::ALL.iter().map(|rule| rule.as_str()).collect::<Vec<_>>().join(", ")
)]
pub struct UnknownRule(String);

impl FromStr for TrustedIssuer {
    type Err = UnknownRule;

    fn from_str(text: &str) -> Result<TrustedIssuer, UnknownRule> {
        // An issuer has no query. A `=` in a query is left in the name, which is rejected later
        // with the right reason.
        let Some((name, rule)) = text.rsplit_once('=').filter(|(name, _)| !name.contains('?')) else {
            return Ok(TrustedIssuer::new(text));
        };
        match TokenRule::parse(rule) {
            Some(rule) => Ok(TrustedIssuer { name: name.to_owned(), rule }),
            None => Err(UnknownRule(rule.to_owned())),
        }
    }
}

/// Settings that are contradictory or unusable.
#[derive(Debug, thiserror::Error)]
pub enum IdentitySettingsError {
    /// An address of an issuer or of keys is not acceptable.
    #[error("{what} {address:?} is not accepted: {reason}")]
    Address {
        /// The purpose of the address, for the message.
        what: &'static str,
        /// The address as given.
        address: String,
        /// The rule that the address breaks.
        reason: &'static str,
    },
    /// An issuer is listed twice.
    #[error("the issuer {0:?} is listed twice")]
    Twice(String),
    /// One address for keys is combined with several issuers.
    #[error("--jwks-url needs exactly one issuer, and there are {0}")]
    KeysOfSeveral(usize),
    /// An issuer or audience is missing or malformed.
    #[error("the issuers or audiences are not valid: {0}")]
    Policy(#[from] dezky_core::Error),
    /// The file of root certificates cannot be used.
    #[error("the root certificates in {path:?} cannot be used: {reason}")]
    Root {
        /// The path of the file.
        path: PathBuf,
        /// The reason why it cannot be used.
        reason: String,
    },
    /// The HTTP client cannot be built.
    #[error("the HTTP client for the identity provider cannot be built: {0}")]
    Client(String),
}

impl IdentitySettings {
    /// Returns the source of each issuer's keys and the policy for its tokens.
    pub(super) fn resolve(self) -> Result<Vec<IssuerSource>, IdentitySettingsError> {
        TokenPolicy::new(self.issuers.iter().map(|issuer| issuer.name.as_str()), &self.audiences)?;
        if self.jwks_url.is_some() && self.issuers.len() != 1 {
            return Err(IdentitySettingsError::KeysOfSeveral(self.issuers.len()));
        }
        let jwks_url =
            self.jwks_url.as_deref().map(|url| address("the address of the keys", url)).transpose()?;
        let roots = self.extra_ca.as_deref().map(roots).transpose()?;
        let client = IssuerClient::new(roots, self.timing.timeout).map_err(|reason| match self.extra_ca {
            Some(path) => IdentitySettingsError::Root { path, reason },
            None => IdentitySettingsError::Client(reason),
        })?;
        let mut sources: Vec<IssuerSource> = Vec::new();
        for TrustedIssuer { name: issuer, rule } in self.issuers {
            if sources.iter().any(|source| source.issuer == issuer) {
                return Err(IdentitySettingsError::Twice(issuer));
            }
            let issuer_url = issuer_url(&issuer)?;
            let policy =
                TokenPolicy::new([&issuer], &self.audiences)?.leeway_seconds(LEEWAY_SECONDS)?.rule(rule);
            sources.push(IssuerSource {
                issuer,
                issuer_url,
                jwks_url: jwks_url.clone(),
                policy,
                client: client.clone(),
                timing: self.timing,
            });
        }
        Ok(sources)
    }
}

/// Parses an issuer's address. OpenID Connect Discovery allows neither query nor fragment.
fn issuer_url(issuer: &str) -> Result<Url, IdentitySettingsError> {
    let what = "the issuer";
    let url = address(what, issuer)?;
    if url.query().is_some() || url.fragment().is_some() {
        let reason = "an issuer has neither a query nor a fragment";
        return Err(IdentitySettingsError::Address { what, address: issuer.to_owned(), reason });
    }
    Ok(url)
}

fn address(what: &'static str, text: &str) -> Result<Url, IdentitySettingsError> {
    let refuse = |reason| IdentitySettingsError::Address { what, address: text.to_owned(), reason };
    let url = Url::parse(text).map_err(|_| refuse("it is not an absolute URL"))?;
    rejection(&url).map_or(Ok(url), |reason| Err(refuse(reason)))
}

fn roots(path: &Path) -> Result<Vec<Certificate>, IdentitySettingsError> {
    let refuse = |reason: String| IdentitySettingsError::Root { path: path.to_owned(), reason };
    let pem = std::fs::read(path).map_err(|error| refuse(error.to_string()))?;
    let roots = Certificate::from_pem_bundle(&pem).map_err(|error| refuse(error.to_string()))?;
    if roots.is_empty() {
        return Err(refuse("it contains no certificate".to_owned()));
    }
    Ok(roots)
}
