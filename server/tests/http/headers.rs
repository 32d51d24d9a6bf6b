//! Headers that restrict what browsers do with an answer.

use reqwest::{Method, Response};

use crate::support::{Server, plain_client};

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
}

#[tokio::test]
async fn pages_restrict_scripts_and_frames_and_no_answer_is_sniffed() {
    let server = Server::start_with(&["--origin", "https://portal.example.org"]);
    let client = plain_client();
    let request = |method: Method, path: &str| {
        let request = client.request(method, format!("{}{path}", server.url));
        request.header("origin", "https://portal.example.org").send()
    };
    let choice = "/dev/oidc/authorize?response_type=code&client_id=portal&redirect_uri=http://localhost/\
        &scope=openid&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    for path in ["/docs", choice, "/dev/oidc/authorize"] {
        let page = request(Method::GET, path).await.unwrap();
        assert!(header(&page, "content-type").starts_with("text/html"), "{path}");
        let policy = header(&page, "content-security-policy");
        for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("script-src 'unsafe"), "{path}: {policy}");
        assert_eq!(header(&page, "referrer-policy"), "no-referrer", "{path}");
    }
    for (method, path) in [
        (Method::GET, "/docs"),
        (Method::GET, "/healthz"),
        (Method::GET, "/metrics"),
        (Method::GET, "/openapi.json"),
        (Method::GET, "/flags"),
        (Method::GET, "/nothing"),
        (Method::PUT, "/flags"),
        (Method::OPTIONS, "/flags"),
        (Method::GET, choice),
        (Method::GET, "/dev/oidc/jwks"),
        (Method::GET, "/dev/oidc/.well-known/openid-configuration"),
        (Method::GET, "/dev/oidc/end_session"),
        (Method::POST, "/dev/token"),
        (Method::POST, "/dev/oidc/token"),
    ] {
        let answer = request(method.clone(), path).await.unwrap();
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff", "{method} {path}");
    }
}
