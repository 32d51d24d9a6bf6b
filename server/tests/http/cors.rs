//! Cross-origin requests: pages of configured origins may send them, and other pages may not.

use std::sync::LazyLock;

use reqwest::{Method, Response};

use crate::support::{Api, Server, plain_client};

const PORTAL: &str = "https://portal.example.org";

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    Server::start_with(&[
        "--rate-limit",
        "0",
        "--failure-limit",
        "0",
        "--origin",
        PORTAL,
        "--origin",
        "http://localhost:5173",
    ])
});

async fn preflight(path: &str, origin: &str) -> Response {
    let asked = plain_client()
        .request(Method::OPTIONS, format!("{}{path}", SERVER.url))
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type,dezky-instance");
    asked.send().await.unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
}

fn lists(header: &str, wanted: &[&str]) -> bool {
    let listed: Vec<String> = header.split(',').map(|name| name.trim().to_ascii_lowercase()).collect();
    wanted.iter().all(|name| listed.contains(&(*name).to_owned()))
}

#[tokio::test]
async fn a_preflight_of_a_configured_origin_is_accepted() {
    for path in [
        "/flags/slice",
        "/ofrep/v1/evaluate/flags",
        "/ofrep/v1/evaluate/flags/a",
        "/tenants/acme",
        "/flags/slice/stream",
    ] {
        for origin in [PORTAL, "http://localhost:5173"] {
            let answer = preflight(path, origin).await;
            assert_eq!(answer.status(), 204, "{path}");
            assert_eq!(header(&answer, "access-control-allow-origin"), origin);
            assert!(lists(
                header(&answer, "access-control-allow-methods"),
                &["get", "post", "patch", "delete"]
            ));
            let needed = [
                "authorization",
                "x-api-key",
                "content-type",
                "if-none-match",
                "dezky-instance",
                "dezky-digest",
            ];
            assert!(lists(header(&answer, "access-control-allow-headers"), &needed));
            assert!(lists(header(&answer, "vary"), &["origin"]));
            // Credentials are sent in headers, so cookies give a page no rights.
            assert_eq!(header(&answer, "access-control-allow-credentials"), "");
        }
    }
}

#[tokio::test]
async fn a_preflight_of_another_origin_is_refused() {
    for origin in [
        "https://evil.example.org",
        "https://portal.example.org.evil.example",
        "http://portal.example.org",
        "https://portal.example.org:8443",
        "null",
        "",
    ] {
        let answer = preflight("/flags/slice", origin).await;
        assert_eq!(answer.status(), 405, "{origin}");
        assert_eq!(header(&answer, "access-control-allow-origin"), "");
        let api = Api::sign_in(&SERVER, "member").await;
        let answer = api.get("/flags/slice?tenant=acme").header("origin", origin).send().await.is(200);
        assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}");
    }
}

#[tokio::test]
async fn a_page_of_a_configured_origin_can_read_every_answer() {
    let api = Api::sign_in(&SERVER, "member").await;
    let slice = || api.get("/flags/slice?tenant=acme").header("origin", PORTAL);
    let first = slice().send().await.is(200);
    let etag = first.etag();
    let same = slice().header("if-none-match", etag).send().await.is(304);
    let stream = api.get("/flags/slice/stream?tenant=acme").header("origin", PORTAL).send().await.is(200);
    let refused = api.get("/keys").header("origin", PORTAL).send().await.is(403);
    let anonymous = Api::anonymous(&SERVER).await.get("/flags").header("origin", PORTAL).send().await.is(401);
    for answer in [first, same, stream, refused, anonymous] {
        assert_eq!(answer.header("access-control-allow-origin"), PORTAL, "{}", answer.what);
        assert!(lists(
            &answer.header("access-control-expose-headers"),
            &["etag", "retry-after", "dezky-history"]
        ));
        let mut vary = answer.headers.get_all("vary").iter().map(|value| value.to_str().unwrap());
        assert!(vary.any(|line| lists(line, &["origin"])), "{}", answer.what);
    }
}

#[tokio::test]
async fn without_configured_origins_no_page_is_accepted() {
    let server = Server::start();
    let api = Api::sign_in(&server, "member").await;
    let answer = api.get("/flags/slice?tenant=acme").header("origin", PORTAL).send().await.is(200);
    assert_eq!(answer.header("access-control-allow-origin"), "");
    api.request("OPTIONS", "/flags/slice")
        .header("origin", PORTAL)
        .send()
        .await
        .refused(405, "method_not_allowed");
    let wrong = std::process::Command::new(env!("CARGO_BIN_EXE_dezky-server"))
        .args([
            "check-config",
            "--issuer",
            "https://auth.example.org/",
            "--audience",
            "a",
            "--origin",
            "portal.example.org/x",
        ])
        .output()
        .unwrap();
    assert!(!wrong.status.success());
}
