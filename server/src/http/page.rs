//! HTML pages and their security headers: allowed scripts, framing and referrers.

use std::sync::LazyLock;

use axum::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use axum::http::{HeaderName, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::reply::Reply;

/// Keeps the address of the page out of the requests that its links make.
pub const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");

/// Keeps browsers from guessing another media type.
pub const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");

const DOCS: &str = include_str!("docs.html");

/// Allows the inline script and style of the page by their hashes, and requests to this server.
static DOCS_POLICY: LazyLock<Option<HeaderValue>> = LazyLock::new(|| {
    let (script, style) = (hash_within("script", DOCS)?, hash_within("style", DOCS)?);
    let policy = format!(
        "default-src 'none'; script-src {script}; style-src {style}; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).ok()
});

/// Returns the documentation as an HTML page.
pub fn docs() -> Reply {
    let strictest = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    let policy = DOCS_POLICY.clone().unwrap_or(strictest);
    let headers: [(HeaderName, HeaderValue); 2] =
        [(CONTENT_SECURITY_POLICY, policy), (REFERRER_POLICY, NO_REFERRER)];
    let page = Reply::text(DOCS).with_type("text/html; charset=utf-8");
    headers.into_iter().fold(page, |page, (name, value)| page.with_header(name, value))
}

/// Returns the policy source that allows the one inline element of this name.
fn hash_within(element: &str, page: &str) -> Option<String> {
    let (_, rest) = page.split_once(&format!("<{element}"))?;
    let (_, rest) = rest.split_once('>')?;
    let (content, _) = rest.split_once(&format!("</{element}>"))?;
    Some(format!("'sha256-{}'", STANDARD.encode(Sha256::digest(content))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_allows_the_one_script_and_the_one_style() {
        for element in ["script", "style"] {
            assert_eq!(DOCS.matches(&format!("<{element}")).count(), 1);
            // A policy without `unsafe-inline` also blocks style and event attributes.
            assert!(!DOCS.contains(" style=") && !DOCS.contains(" onclick="));
        }
        assert_eq!(
            hash_within("style", "<style>a</style>").as_deref(),
            Some("'sha256-ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs='"),
        );
        let policy = DOCS_POLICY.as_ref().unwrap().to_str().unwrap();
        assert_eq!(policy.matches("'sha256-").count(), 2);
    }
}
