//! What the operator of the service says about its issuers, and which of that is refused.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use dezky_core::{TokenPolicy, TokenRule};
use reqwest::{Certificate, Url};

use super::fetch::{Client, Source};

/// How far the clocks of issuer and service may differ.
pub const LEEWAY_SECONDS: u32 = 5;

/// Whose tokens are accepted, for whom, and where their keys are.
#[derive(Debug, Clone, Default)]
pub struct IdentitySettings {
    /// The issuers.
    pub issuers: Vec<TrustedIssuer>,
    /// Where the keys of the only issuer are; by default its discovery document tells.
    pub jwks_url: Option<String>,
    /// The audiences that are served, the operators' among them.
    pub audiences: Vec<String>,
    /// A PEM file with the roots to trust for the connection to the issuers, instead of the system's.
    pub extra_ca: Option<PathBuf>,
    /// How often keys are fetched, and how long they are trusted.
    pub timing: KeyTiming,
}

/// An issuer whose tokens are accepted, written `URL` or `URL=RULE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedIssuer {
    /// The issuer's name, exactly as its tokens spell it.
    pub name: String,
    /// How its access tokens are told from its ID tokens.
    pub rule: TokenRule,
}

impl TrustedIssuer {
    /// An issuer under the rule `generic`.
    pub fn new(name: impl Into<String>) -> TrustedIssuer {
        TrustedIssuer { name: name.into(), rule: TokenRule::default() }
    }
}

/// Why the text after `=` is no rule.
#[derive(Debug, thiserror::Error)]
#[error(
    "there is no rule {0:?}: it is one of {rules}; for an address that has a = itself, add =generic",
    rules = TokenRule::ALL.iter().map(|rule| rule.as_str()).collect::<Vec<_>>().join(", ")
)]
pub struct UnknownRule(String);

impl FromStr for TrustedIssuer {
    type Err = UnknownRule;

    fn from_str(text: &str) -> Result<TrustedIssuer, UnknownRule> {
        // The query of an address may have a =, but an issuer has no query: that is refused with a reason of its own.
        let Some((name, rule)) = text.rsplit_once('=').filter(|(name, _)| !name.contains('?')) else {
            return Ok(TrustedIssuer::new(text));
        };
        match TokenRule::parse(rule) {
            Some(rule) => Ok(TrustedIssuer { name: name.to_owned(), rule }),
            None => Err(UnknownRule(rule.to_owned())),
        }
    }
}

/// How often keys are fetched, and how long they are trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyTiming {
    /// Keys of this age are fetched anew.
    pub max_age: Duration,
    /// The least time from one attempt's start to the next, whatever became of the first.
    pub cooldown: Duration,
    /// An attempt takes no longer.
    pub timeout: Duration,
    /// Keys are trusted no longer than this after the last success.
    pub hard_cap: Duration,
}

impl Default for KeyTiming {
    fn default() -> KeyTiming {
        KeyTiming {
            max_age: Duration::from_secs(10 * 60),
            cooldown: Duration::from_secs(30),
            timeout: Duration::from_secs(5),
            hard_cap: Duration::from_secs(24 * 3600),
        }
    }
}

/// Settings that cannot be meant.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// An address that is not fit for an issuer or its keys.
    #[error("{what} {address:?} is not accepted: {reason}")]
    Address {
        /// What the address is of.
        what: &'static str,
        /// The address.
        address: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The same issuer twice.
    #[error("the issuer {0:?} is given twice")]
    Twice(String),
    /// One address for the keys of several issuers.
    #[error("an address for the keys is accepted with exactly one issuer, and there are {0}")]
    KeysOfSeveral(usize),
    /// No issuer, no audience, or one that no token can name.
    #[error("issuers or audiences are not accepted: {0}")]
    Policy(#[from] dezky_core::Error),
    /// The private root cannot be used.
    #[error("the private root {path:?} cannot be used: {reason}")]
    Root {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// No connection can be made at all.
    #[error("no client for the identity provider can be made: {0}")]
    Client(String),
}

impl IdentitySettings {
    /// Where to fetch each issuer's keys and what to hold its tokens to.
    pub(super) fn resolve(self) -> Result<Vec<Source>, SettingsError> {
        TokenPolicy::new(self.issuers.iter().map(|issuer| issuer.name.as_str()), &self.audiences)?;
        if self.jwks_url.is_some() && self.issuers.len() != 1 {
            return Err(SettingsError::KeysOfSeveral(self.issuers.len()));
        }
        let jwks_url =
            self.jwks_url.as_deref().map(|url| address("the address of the keys", url)).transpose()?;
        let roots = self.extra_ca.as_deref().map(roots).transpose()?;
        let client = Client::new(roots, self.timing.timeout).map_err(|reason| match self.extra_ca {
            Some(path) => SettingsError::Root { path, reason },
            None => SettingsError::Client(reason),
        })?;
        let mut sources: Vec<Source> = Vec::new();
        for TrustedIssuer { name: issuer, rule } in self.issuers {
            if sources.iter().any(|known| known.issuer == issuer) {
                return Err(SettingsError::Twice(issuer));
            }
            let issuer_url = issuer_url(&issuer)?;
            let policy =
                TokenPolicy::new([&issuer], &self.audiences)?.leeway_seconds(LEEWAY_SECONDS)?.rule(rule);
            sources.push(Source {
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

/// The address of an issuer: without query and fragment, as OpenID Connect Discovery wants it.
fn issuer_url(issuer: &str) -> Result<Url, SettingsError> {
    let what = "the issuer";
    let url = address(what, issuer)?;
    if url.query().is_some() || url.fragment().is_some() {
        let reason = "an issuer has neither query nor fragment";
        return Err(SettingsError::Address { what, address: issuer.to_owned(), reason });
    }
    Ok(url)
}

fn address(what: &'static str, text: &str) -> Result<Url, SettingsError> {
    let refuse = |reason| SettingsError::Address { what, address: text.to_owned(), reason };
    let url = Url::parse(text).map_err(|_| refuse("it is no absolute URL"))?;
    unfit(&url).map_or(Ok(url), |reason| Err(refuse(reason)))
}

/// Why keys may not be fetched from an address, if so: whoever sits between could put in their own.
pub(super) fn unfit(url: &Url) -> Option<&'static str> {
    if !url.username().is_empty() || url.password().is_some() {
        return Some("an address with a password in it would end up in logs");
    }
    match (url.scheme(), url.host_str()) {
        ("https", Some(_)) => None,
        ("http", Some(host)) if is_loopback_host(host) => None,
        ("http", _) => Some("plain http is accepted on loopback only"),
        _ => Some("only https is accepted"),
    }
}

/// Whether a host, as a URL writes it, is this machine by any resolver's account.
fn is_loopback_host(host: &str) -> bool {
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || literal.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

fn roots(path: &Path) -> Result<Vec<Certificate>, SettingsError> {
    let refuse = |reason: String| SettingsError::Root { path: path.to_owned(), reason };
    let pem = std::fs::read(path).map_err(|error| refuse(error.to_string()))?;
    let roots = Certificate::from_pem_bundle(&pem).map_err(|error| refuse(error.to_string()))?;
    if roots.is_empty() {
        return Err(refuse("there is no certificate in it".to_owned()));
    }
    Ok(roots)
}
