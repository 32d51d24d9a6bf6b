//! Who may read the metrics: everybody on loopback, beyond it whoever has the token.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use sha2::{Digest, Sha256};

use super::problem::Problem;

/// Who may read the metrics at one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetricsAccess {
    /// Everybody who reaches the address.
    Open,
    /// Whoever has the token, of which this is the SHA-256.
    Token([u8; 32]),
    /// Nobody: the address is reached from elsewhere, and no token was set.
    Closed,
    /// Nobody: the metrics have an address of their own.
    Elsewhere,
}

impl MetricsAccess {
    /// Whoever has this token.
    pub fn token(token: &str) -> MetricsAccess {
        MetricsAccess::Token(Sha256::digest(token).into())
    }

    /// Refuses a request that may not read the metrics.
    pub fn judge(&self, headers: &HeaderMap) -> Result<(), Problem> {
        match self {
            MetricsAccess::Open => Ok(()),
            MetricsAccess::Elsewhere => Err(Problem::not_found()),
            MetricsAccess::Closed => {
                let detail =
                    "Metrics are served beyond loopback only with --metrics-token, or at --metrics-listen";
                Err(Problem::new(StatusCode::FORBIDDEN, "metrics_closed", detail))
            }
            MetricsAccess::Token(expected) => {
                let given = headers.get(AUTHORIZATION).and_then(|line| line.to_str().ok());
                let given = given.and_then(|line| line.split_once(' '));
                let given = given.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
                // Hashes are compared, so that neither length nor content shows in the time that it takes.
                let given = given.map(|(_, token)| Sha256::digest(token.trim()));
                let is_good = given.is_some_and(|given| verify_slices_are_equal(&given, expected).is_ok());
                if is_good { Ok(()) } else { Err(refused()) }
            }
        }
    }
}

fn refused() -> Problem {
    let detail = "Metrics need the token that the server was started with: Authorization: Bearer …";
    Problem::new(StatusCode::UNAUTHORIZED, "metrics_token_invalid", detail)
        .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"dezky metrics\""))
}
