//! Feeds arbitrary bytes to the request parts that the server parses itself: query, entity tags,
//! links, the hops of proxies, and a body that is merged into a record. The first line is the
//! query, the second the value of a header, the rest the body.
#![no_main]

use std::net::IpAddr;
use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use dezky_core::Timestamp;
use dezky_core::json::read_json;
use dezky_core::model::{Flag, Tenant};
use dezky_server::http::address::{Network, client, counted};
use dezky_server::http::document::{members, merged};
use dezky_server::http::etag::{Tags, is_known};
use dezky_server::http::instance::{digest, instance};
use dezky_server::http::link::holder;
use dezky_server::http::query::Query;
use dezky_server::http::seal::Seal;
use dezky_server::routes::ENDPOINTS;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

static SEAL: LazyLock<Seal> = LazyLock::new(|| Seal::new(&[7; 32]));

static PROXIES: LazyLock<Vec<Network>> =
    LazyLock::new(|| vec!["10.0.0.0/8".parse().expect("a valid network")]);

const CURRENT: &str = "\"v3-5f1\"";

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.splitn(3, |&byte| byte == b'\n');
    let (query, header, body) = (parts.next(), parts.next(), parts.next());
    if let Some(query) = query.and_then(|query| std::str::from_utf8(query).ok()) {
        read_query(query);
    }
    if let Some(value) = header.and_then(|value| HeaderValue::from_bytes(value).ok()) {
        read_header(&value);
    }
    if let Some(Ok(Value::Object(change))) = body.map(|body| read_json(body, body.len())) {
        merge(change);
    }
});

fn read_query(text: &str) {
    for endpoint in ENDPOINTS {
        let Ok(query) = Query::parse(text, endpoint.operation.query) else { continue };
        for parameter in endpoint.operation.query {
            // A parsed value cannot be longer than the query.
            if let Some(value) = query.get(parameter.name) {
                assert!(value.len() <= 3 * text.len());
            }
        }
        assert!(query.limit().is_ok_and(|limit| (1..=200).contains(&limit)) || query.get("limit").is_some());
        let _ = query.is_set("explain");
    }
    let now = Timestamp::EPOCH;
    // Only the server can seal a link.
    assert_eq!(holder(&SEAL, text, now), None);
}

fn read_header(value: &HeaderValue) {
    let tags = Tags::parse([value]);
    let doubled = Tags::parse([value, value]);
    match &tags {
        Ok(Some(Tags::Any)) => assert!(doubled.is_err()),
        Ok(Some(list)) => {
            assert!(list.names_weakly(CURRENT) || !list.names_strongly(CURRENT));
            assert!(doubled.is_ok_and(|both| {
                both.is_some_and(|both| both.names_strongly(CURRENT) == list.names_strongly(CURRENT))
            }));
        }
        Ok(None) => panic!("a present header must parse as a list"),
        Err(_) => assert!(doubled.is_err() && !is_known([value], CURRENT)),
    }
    let peer: IpAddr = [10, 0, 0, 1].into();
    let mut headers = HeaderMap::new();
    for name in ["dezky-instance", "dezky-digest", "x-forwarded-for"] {
        headers.insert(HeaderName::from_static(name), value.clone());
    }
    assert!(instance(&headers).is_none_or(|name| name.len() <= 64));
    assert!(digest(&headers).is_none_or(|digest| digest.as_str().len() == 64));
    // Headers of untrusted peers are ignored.
    assert_eq!(client(&[], peer, &headers), peer);
    let found = client(&PROXIES, peer, &headers);
    assert_eq!(counted(counted(found)), counted(found));
}

/// A record that a body produces must survive serialization and parsing.
fn merge(change: serde_json::Map<String, Value>) {
    for endpoint in ENDPOINTS {
        if let Some(form) = &endpoint.operation.body {
            let _ = members(change.clone(), form);
        }
    }
    let tenant = json!({ "id": "t1", "slug": "acme", "name": "Acme", "plan": "free" });
    if let Ok(tenant) = merged::<Tenant>(&tenant, &change) {
        let text = serde_json::to_vec(&tenant).expect("a tenant can be serialized");
        assert_eq!(Tenant::from_json(&text), Ok(tenant));
    }
    let flag = json!({ "key": "new_portal", "state": "on" });
    if let Ok(flag) = merged::<Flag>(&flag, &change) {
        let text = serde_json::to_vec(&flag).expect("a flag can be serialized");
        assert_eq!(Flag::from_json(&text), Ok(flag));
    }
}
