//! Access to the metrics: open on loopback, elsewhere with a token.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use sha2::{Digest, Sha256};

use super::problem::Problem;

/// The access to the metrics at one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetricsAccess {
    /// Every client that reaches the address.
    Open,
    /// Clients with the token of this SHA-256.
    Token([u8; 32]),
    /// No client: the address is reachable from other hosts and no token is configured.
    Closed,
    /// No client: the metrics have a separate address.
    Elsewhere,
}

impl MetricsAccess {
    /// Grants access to clients with this token.
    pub fn token(token: &str) -> MetricsAccess {
        MetricsAccess::Token(Sha256::digest(token).into())
    }

    /// Rejects a request that may not read the metrics.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        match self {
            MetricsAccess::Open => Ok(()),
            MetricsAccess::Elsewhere => Err(Problem::not_found()),
            MetricsAccess::Closed => {
                let detail =
                    "Beyond loopback, metrics need --metrics-token or a separate --metrics-listen address";
                Err(Problem::new(StatusCode::FORBIDDEN, "metrics_closed", detail))
            }
            MetricsAccess::Token(expected) => {
                let given = headers.get(AUTHORIZATION).and_then(|line| line.to_str().ok());
                let given = given.and_then(|line| line.split_once(' '));
                let given = given.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
                // Comparing hashes keeps the length and the content of the token out of the
                // timing.
                let given = given.map(|(_, token)| Sha256::digest(token.trim()));
                let is_good = given.is_some_and(|given| verify_slices_are_equal(&given, expected).is_ok());
                if is_good { Ok(()) } else { Err(refused()) }
            }
        }
    }
}

fn refused() -> Problem {
    let detail = "Metrics need the configured token: Authorization: Bearer …";
    Problem::new(StatusCode::UNAUTHORIZED, "metrics_token_invalid", detail)
        .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"dezky metrics\""))
}
