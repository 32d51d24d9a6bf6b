//! The rules for addresses of issuers and their keys.

use std::net::IpAddr;

use reqwest::Url;

/// Returns why keys may not be fetched from an address, or `None` if they may. On an unprotected
/// connection, anybody on the way could replace the keys.
pub(super) fn rejection(url: &Url) -> Option<&'static str> {
    if !url.username().is_empty() || url.password().is_some() {
        return Some("an address must not contain a password, because addresses appear in logs");
    }
    match (url.scheme(), url.host_str()) {
        ("https", Some(_)) => None,
        ("http", Some(host)) if is_loopback_host(host) => None,
        ("http", _) => Some("plain http is accepted on loopback only"),
        _ => Some("only https is accepted"),
    }
}

/// Returns whether a host, as a URL spells it, is `localhost` or a loopback address.
fn is_loopback_host(host: &str) -> bool {
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || literal.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}
