//! The headers of pages that people look at: which scripts run, who may frame the page, what a link tells.

use std::sync::LazyLock;

use axum::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use axum::http::{HeaderName, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::reply::Reply;

/// A link from a page of ours tells nothing of where it was.
pub const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");

/// A browser takes an answer for what its media type says.
pub const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");

const DOCS: &str = include_str!("docs.html");

/// Only the page's own script and style, which their hashes name, and what they read from this server.
static DOCS_POLICY: LazyLock<Option<HeaderValue>> = LazyLock::new(|| {
    let (script, style) = (hash_within("script", DOCS)?, hash_within("style", DOCS)?);
    let policy = format!(
        "default-src 'none'; script-src {script}; style-src {style}; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).ok()
});

/// The documentation, for people.
pub fn docs() -> Reply {
    let strictest = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    let policy = DOCS_POLICY.clone().unwrap_or(strictest);
    let headers: [(HeaderName, HeaderValue); 2] =
        [(CONTENT_SECURITY_POLICY, policy), (REFERRER_POLICY, NO_REFERRER)];
    let page = Reply::text(DOCS).as_type("text/html; charset=utf-8");
    headers.into_iter().fold(page, |page, (name, value)| page.with_header(name, value))
}

/// The source by which a policy allows the one inline element of this name.
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
    fn the_page_has_one_script_and_one_style_and_both_are_named() {
        for element in ["script", "style"] {
            assert_eq!(DOCS.matches(&format!("<{element}")).count(), 1);
            // Nothing else that a policy without 'unsafe-inline' would stop.
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
