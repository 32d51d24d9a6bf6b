//! The built-in dev provider: sign-in from discovery to an accepted token, and its refusals.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dezky_core::Code;
use dezky_dev_identity_provider::{Provider, personas};
use dezky_server::identity::{Identity, IdentitySettings, TrustedIssuer};
use reqwest::{Client, Response, StatusCode, Url};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

use crate::issuer::encode;
use crate::support::{code, seconds, timing, verify};

const VERIFIER: &str = "a-verifier-of-enough-characters-for-RFC-7636";
const REDIRECT_URI: &str = "http://localhost:5173/callback?a=b";

/// A running dev provider, an HTTP client, and an identity that trusts the provider.
struct DevProvider {
    issuer: String,
    origin: String,
    client: Client,
    identity: Arc<Identity>,
}

impl DevProvider {
    async fn start() -> DevProvider {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let issuer = format!("{origin}/dev/oidc");
        let router = Provider::new(&issuer, personas()).unwrap().router();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let settings = IdentitySettings {
            issuers: vec![TrustedIssuer::new(&issuer)],
            audiences: vec!["dezky-portal".to_owned(), "dezky-operator".to_owned()],
            timing: timing(),
            ..IdentitySettings::default()
        };
        let identity = Identity::new(settings).unwrap();
        identity.start();
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tls_certs_only([])
            .build()
            .unwrap();
        DevProvider { issuer, origin, client, identity }
    }

    async fn get(&self, url: &str) -> Response {
        self.client.get(url).send().await.unwrap()
    }

    async fn post_form(&self, url: &str, parameters: &[(&str, &str)]) -> Response {
        let body = form(parameters);
        let request = self.client.post(url).header("content-type", "application/x-www-form-urlencoded");
        request.body(body).send().await.unwrap()
    }

    async fn post_dev_token(&self, body: &'static str) -> Response {
        let request = self.client.post(format!("{}/dev/token", self.origin));
        request.header("content-type", "application/json").body(body).send().await.unwrap()
    }

    /// Picks a persona and returns the address to which the browser is redirected.
    async fn pick_persona(&self, persona: &str, changes: &[(&str, &str)]) -> Url {
        let challenge = challenge();
        let mut parameters = request(&challenge, changes);
        parameters.push(("persona", persona));
        let response = self.post_form(&format!("{}/authorize", self.issuer), &parameters).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        Url::parse(response.headers()["location"].to_str().unwrap()).unwrap()
    }

    async fn code(&self, persona: &str) -> String {
        parameter(&self.pick_persona(persona, &[]).await, "code").unwrap()
    }

    async fn redeem(&self, code: &str, changes: &[(&str, &str)]) -> (StatusCode, Value) {
        let usual = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("client_id", "portal-app"),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
        ];
        let response =
            self.post_form(&format!("{}/token", self.issuer), &with_changes(&usual, changes)).await;
        assert_eq!(response.headers()["cache-control"], "no-store");
        let status = response.status();
        (status, body(response).await)
    }
}

async fn body(response: Response) -> Value {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

fn form(parameters: &[(&str, &str)]) -> String {
    let mut url = Url::parse("http://localhost/").unwrap();
    url.query_pairs_mut().extend_pairs(parameters);
    url.query().unwrap().to_owned()
}

fn challenge() -> String {
    encode(Sha256::digest(VERIFIER))
}

fn request<'a>(challenge: &'a str, changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let usual = [
        ("response_type", "code"),
        ("client_id", "portal-app"),
        ("redirect_uri", REDIRECT_URI),
        ("scope", "openid"),
        ("state", "a state & \"more\""),
        ("nonce", "a-nonce"),
        ("code_challenge", challenge),
        ("code_challenge_method", "S256"),
    ];
    with_changes(&usual, changes)
}

/// Replaces parameters of the usual request. An empty value removes the parameter.
fn with_changes<'a>(usual: &[(&'a str, &'a str)], changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let is_changed = |name: &str| changes.iter().any(|(changed, _)| *changed == name);
    let kept = usual.iter().filter(|(name, _)| !is_changed(name));
    kept.chain(changes.iter().filter(|(_, value)| !value.is_empty())).copied().collect()
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
}

fn claims(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

#[tokio::test]
async fn a_sign_in_leads_from_discovery_to_verified_claims() {
    let dev = DevProvider::start().await;
    let discovery = body(dev.get(&format!("{}/.well-known/openid-configuration", dev.issuer)).await).await;
    assert_eq!(discovery["issuer"], dev.issuer);
    let challenge = challenge();
    let query = form(&request(&challenge, &[]));
    let page = dev.get(&format!("{}?{query}", discovery["authorization_endpoint"].as_str().unwrap())).await;
    assert_eq!(page.status(), StatusCode::OK);
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("form-action 'self' http://localhost:5173;"), "{policy}");
    let page = page.text().await.unwrap();
    for persona in personas() {
        assert!(page.contains(&format!("<button name=\"persona\" value=\"{}\"", persona.name)));
    }
    assert!(page.contains("value=\"a state &amp; &quot;more&quot;\""), "{page}");

    let back = dev.pick_persona("owner", &[]).await;
    assert!(back.as_str().starts_with("http://localhost:5173/callback?a=b&"), "{back}");
    assert_eq!(parameter(&back, "state").as_deref(), Some("a state & \"more\""));
    let (status, tokens) = dev.redeem(&parameter(&back, "code").unwrap(), &[]).await;
    assert_eq!((status, &tokens["token_type"]), (StatusCode::OK, &json!("Bearer")));
    assert_eq!(tokens["expires_in"], 3600);

    let access = tokens["access_token"].as_str().unwrap();
    let verified = verify(&dev.identity, access).await.unwrap();
    assert_eq!(verified.subject, "dev-owner");
    assert_eq!(
        (&verified.audiences[..], verified.groups.as_deref().unwrap_or_default()),
        (&["dezky-portal".to_owned()][..], &["tenant-acme".to_owned()][..])
    );
    assert_eq!(
        (verified.email.as_ref().unwrap().as_str(), verified.email_verified),
        ("owner@dezky.example", Some(true))
    );
    assert_eq!(verified.expires_at.as_seconds() - verified.issued_at.as_seconds(), 3600);
    assert!(seconds().abs_diff(verified.issued_at.as_seconds() as u64) < 10);

    let id_token = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!((&id_token["aud"], &id_token["nonce"]), (&json!("portal-app"), &json!("a-nonce")));
    assert_eq!(id_token["at_hash"], encode(&Sha256::digest(access)[..16]));
}

#[tokio::test]
async fn an_id_token_is_refused_even_for_a_client_named_like_an_audience() {
    let dev = DevProvider::start().await;
    for nonce in ["a-nonce", ""] {
        let changes = [("client_id", "dezky-portal"), ("nonce", nonce)];
        let back = dev.pick_persona("member", &changes).await;
        let redeemed = dev.redeem(&parameter(&back, "code").unwrap(), &changes[..1]).await.1;
        verify(&dev.identity, redeemed["access_token"].as_str().unwrap()).await.unwrap();
        let id_token = redeemed["id_token"].as_str().unwrap();
        assert_eq!(code(verify(&dev.identity, id_token).await), Code::TokenNotAccess);
    }
}

#[tokio::test]
async fn a_code_works_once_and_only_with_the_parameters_of_its_request() {
    let dev = DevProvider::start().await;
    let good = dev.code("member").await;
    assert_eq!(dev.redeem(&good, &[]).await.0, StatusCode::OK);
    let refused = |error: &'static str, (status, body): (StatusCode, Value)| {
        assert_eq!((status, &body["error"]), (StatusCode::BAD_REQUEST, &json!(error)), "{body}");
        assert!(body.get("access_token").is_none());
    };
    refused("invalid_grant", dev.redeem(&good, &[]).await);
    for change in [
        ("code_verifier", "another-verifier-of-enough-characters-in-it"),
        ("code_verifier", ""),
        ("client_id", "another-app"),
        ("redirect_uri", "http://localhost:5173/callback"),
    ] {
        let code = dev.code("member").await;
        refused("invalid_grant", dev.redeem(&code, &[change]).await);
        refused("invalid_grant", dev.redeem(&code, &[]).await);
    }
    let code = dev.code("member").await;
    refused("unsupported_grant_type", dev.redeem(&code, &[("grant_type", "password")]).await);
    refused("invalid_request", dev.redeem("", &[]).await);
    refused("invalid_grant", dev.redeem("made-up", &[]).await);
}

#[tokio::test]
async fn only_the_newest_codes_are_kept() {
    let dev = DevProvider::start().await;
    let oldest = dev.code("member").await;
    for _ in 0..256 {
        dev.code("member").await;
    }
    assert_eq!(dev.redeem(&oldest, &[]).await.1["error"], "invalid_grant");
}

#[tokio::test]
async fn redirects_to_other_machines_are_refused() {
    let dev = DevProvider::start().await;
    let challenge = challenge();
    for foreign in [
        "https://evil.example/callback",
        "http://localhost.evil.example/",
        "http://127.0.0.1@evil.example/",
        "http://user@127.0.0.1/",
        "//evil.example/",
        "javascript:alert(1)",
        "http://localhost/#fragment",
        "",
    ] {
        let mut parameters = request(&challenge, &[("redirect_uri", foreign)]);
        let page = dev.get(&format!("{}/authorize?{}", dev.issuer, form(&parameters))).await;
        assert_eq!(page.status(), StatusCode::BAD_REQUEST, "{foreign}");
        parameters.push(("persona", "operator"));
        let chosen = dev.post_form(&format!("{}/authorize", dev.issuer), &parameters).await;
        assert_eq!(chosen.status(), StatusCode::BAD_REQUEST, "{foreign}");
        assert!(chosen.headers().get("location").is_none());
        let end = form(&[("post_logout_redirect_uri", foreign)]);
        let end = dev.get(&format!("{}/end_session?{end}", dev.issuer)).await;
        assert!(end.headers().get("location").is_none(), "{foreign}");
    }
    let end =
        dev.get(&format!("{}/end_session?post_logout_redirect_uri=http://localhost:1/", dev.issuer)).await;
    assert_eq!(end.headers()["location"], "http://localhost:1/");
}

#[tokio::test]
async fn a_request_without_pkce_is_sent_back_with_the_error() {
    let dev = DevProvider::start().await;
    for (change, error) in [
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge", "short"), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("code_challenge_method", ""), "invalid_request"),
        (("response_type", "token"), "unsupported_response_type"),
    ] {
        let back = dev.pick_persona("operator", &[change]).await;
        assert_eq!(parameter(&back, "error").as_deref(), Some(error), "{change:?}");
        assert_eq!(parameter(&back, "state").as_deref(), Some("a state & \"more\""));
        assert_eq!(parameter(&back, "code"), None);
    }
    let challenge = challenge();
    let silent = form(&request(&challenge, &[("prompt", "none")]));
    let silent = dev.get(&format!("{}/authorize?{silent}", dev.issuer)).await;
    assert!(silent.headers()["location"].to_str().unwrap().contains("error=login_required"));
}

#[tokio::test]
async fn a_script_gets_each_personas_token_by_name() {
    let dev = DevProvider::start().await;
    for persona in personas() {
        let text: &'static str = Box::leak(json!({ "persona": persona.name }).to_string().into_boxed_str());
        let response = dev.post_dev_token(text).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert!(
            response.headers().get("access-control-allow-origin").is_none(),
            "other origins must not read the token"
        );
        let answer = body(response).await;
        assert_eq!((&answer["persona"], &answer["expires_in"]), (&json!(persona.name), &json!(3600)));
        let claims = verify(&dev.identity, answer["access_token"].as_str().unwrap()).await.unwrap();
        assert_eq!(claims.subject, persona.subject);
        assert_eq!(claims.audiences, [persona.audience]);
        assert_eq!(claims.groups, Some(persona.groups));
    }
}

#[tokio::test]
async fn a_bad_token_request_gets_a_problem_document() {
    let dev = DevProvider::start().await;
    let unknown = dev.post_dev_token(r#"{"persona":"nobody"}"#).await;
    assert_eq!(unknown.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(unknown.headers()["content-type"], "application/problem+json");
    let unknown = body(unknown).await;
    assert_eq!(
        (&unknown["code"], &unknown["errors"][0]["path"]),
        (&json!("unknown_persona"), &json!("/persona"))
    );
    let names: Vec<String> = personas().into_iter().map(|persona| persona.name).collect();
    assert_eq!(unknown["personas"], json!(names));

    let broken = dev.post_dev_token("persona=operator").await;
    assert_eq!(broken.status(), StatusCode::BAD_REQUEST);
    assert_eq!(broken.headers()["content-type"], "application/problem+json");
    assert_eq!(body(broken).await["code"], "invalid_json");

    let large: &'static str = Box::leak(" ".repeat(20_000).into_boxed_str());
    let large = dev.post_dev_token(large).await;
    assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(body(large).await["code"], "body_too_large");
}

#[tokio::test]
async fn a_stalled_body_is_answered_with_408() {
    let dev = DevProvider::start().await;
    let address: SocketAddr = dev.origin.trim_start_matches("http://").parse().unwrap();
    let requests = ["/dev/token", "/dev/oidc/token", "/dev/oidc/authorize"]
        .map(|path| (path, tokio::task::spawn_blocking(move || answer_to_a_stalled_body(address, path))));
    for (path, answer) in requests {
        let answer = answer.await.unwrap().unwrap();
        assert!(answer.starts_with("HTTP/1.1 408 "), "{path}: {answer}");
        assert!(answer.contains(r#""code":"body_too_slow""#), "{path}: {answer}");
    }
}

/// Sends a request with an incomplete body and returns the answer.
///
/// Fails with a read timeout if the server waits for the rest of the body.
fn answer_to_a_stalled_body(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    write!(stream, "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: 40\r\n\r\n{{\"persona\":")?;
    let mut answer = String::new();
    // The server closes the connection, because the rest of the body could look like a request.
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[tokio::test]
async fn a_foreign_host_header_is_refused() {
    let dev = DevProvider::start().await;
    for path in ["/dev/token", "/dev/oidc/token", "/dev/oidc/authorize"] {
        let request = dev.client.post(format!("{}{path}", dev.origin)).header("host", "evil.example:7070");
        let response = request.body(r#"{"persona":"operator"}"#).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::MISDIRECTED_REQUEST, "{path}");
        assert_eq!(body(response).await["code"], "foreign_host");
    }
    let request = dev.client.post(format!("{}/dev/token", dev.origin)).header("host", "localhost:7070");
    let response = request.body(r#"{"persona":"operator"}"#).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_hostile_client_id_is_escaped() {
    let dev = DevProvider::start().await;
    let challenge = challenge();
    let query = form(&request(&challenge, &[("client_id", "<script>alert('x')</script>\"")]));
    let page = dev.get(&format!("{}/authorize?{query}", dev.issuer)).await.text().await.unwrap();
    assert!(!page.contains("<script"), "{page}");
    assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;"));
}

#[test]
fn a_provider_accepts_only_loopback_issuers() {
    for issuer in [
        "http://id.example.org/dev/oidc",
        "https://127.0.0.1/dev/oidc",
        "http://127.0.0.1:7070/",
        "http://127.0.0.1:7070/dev/oidc/",
        "http://127.0.0.1:7070/dev",
        "http://127.0.0.1:7070/:dev",
        "http://127.0.0.1:7070/*dev",
        "nonsense",
    ] {
        assert!(Provider::new(issuer, personas()).is_err(), "{issuer}");
    }
    assert!(Provider::new("http://127.0.0.1:7070/dev/oidc", Vec::new()).is_err());
    assert!(Provider::new("http://127.0.0.1:7070/dev/oidc", personas()).is_ok());
}
