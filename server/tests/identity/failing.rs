//! Bad answers of an issuer: they leave the keys unchanged and the reason appears in readiness.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use dezky_server::identity::{Identity, KeyTiming, Refusal};
use serde_json::json;

use crate::issuer::{Answer, HUGE_CHUNKS, Issuer, Signer, key_text, keys};
use crate::support::{eventually, millis, ready, settings, started, timing, verify};

/// Bad answers, each with the text that the reason must contain.
fn bad_answers() -> Vec<(&'static str, Answer)> {
    let text = |text: &str| Answer::Text(200, text.to_owned());
    let good = key_text(&[&Signer::new("a")]);
    vec![
        ("key_set_json", text("<html>Please log in</html>")),
        ("key_set_empty", text(r#"{"keys":[]}"#)),
        ("key_set_symmetric", text(r#"{"keys":[{"kty":"oct","kid":"a","k":"AAAA"}]}"#)),
        ("exceeds", Answer::Huge),
        ("has status 302", Answer::Redirect),
        ("has status 500", Answer::Text(500, good.clone())),
        ("has status 201", Answer::Text(201, good.clone())),
        ("timed out", Answer::Late(Duration::from_secs(60), good)),
        ("timed out", Answer::Trickle),
    ]
}

#[tokio::test]
async fn a_bad_first_answer_leaves_the_service_not_ready_with_the_reason() {
    for (expected, answer) in bad_answers() {
        let issuer = Issuer::start(answer).await;
        let identity = started(&[&issuer], KeyTiming { timeout: millis(250), ..timing() });
        let is_reported = || identity.readiness().is_err_and(|reason| reason.contains(expected));
        eventually(expected, is_reported).await;
        let token = Signer::new("a").token(&issuer.name);
        assert_eq!(verify(&identity, &token).await, Err(Refusal::NoKeys), "{expected}");
        assert_eq!(identity.key_ages(), [(issuer.name.clone(), None)]);
        assert_eq!(issuer.followed_redirects(), 0, "a redirect was followed");
    }
}

#[tokio::test]
async fn a_later_bad_answer_keeps_the_keys() {
    for (expected, answer) in bad_answers() {
        let signer = Signer::new("a");
        let issuer = Issuer::start(keys(&[&signer])).await;
        let times = KeyTiming { max_age: millis(30), cooldown: millis(30), timeout: millis(100), ..timing() };
        let identity = ready(&[&issuer], times).await;
        issuer.answer(answer);
        let before = issuer.fetches();
        eventually("two more attempts", || issuer.fetches() >= before + 3).await;
        verify(&identity, &signer.token(&issuer.name)).await.expect(expected);
        assert_eq!(identity.readiness(), Ok(()), "{expected}");
        assert_eq!(issuer.followed_redirects(), 0, "a redirect was followed");
    }
}

#[tokio::test]
async fn reading_stops_when_an_answer_is_too_large() {
    let issuer = Issuer::start(Answer::Huge).await;
    let identity = started(&[&issuer], KeyTiming { cooldown: Duration::from_secs(30), ..timing() });
    eventually("reported", || identity.readiness().is_err_and(|reason| reason.contains("exceeds"))).await;
    // The reader has closed the connection, so the issuer drops the body before its end.
    eventually("the body is dropped", || issuer.dropped_bodies() >= 1).await;
    assert!(issuer.chunks() < HUGE_CHUNKS, "the whole answer was sent");
}

#[tokio::test]
async fn an_issuer_that_is_down_at_first_is_retried_until_it_comes_up() {
    let signer = Signer::new("a");
    let issuer = Issuer::start(keys(&[&signer])).await;
    issuer.go_down().await;
    // The production timing. The first retries come before its cooldown ends.
    let identity = started(&[&issuer], KeyTiming::default());
    assert_eq!(verify(&identity, &signer.token(&issuer.name)).await, Err(Refusal::NoKeys));
    eventually("a failed attempt", || identity.readiness().is_err_and(|reason| reason.contains("error")))
        .await;
    issuer.come_up().await;
    let start = Instant::now();
    eventually("ready", || identity.readiness().is_ok()).await;
    assert!(start.elapsed() < Duration::from_secs(4));
    verify(&identity, &signer.token(&issuer.name)).await.unwrap();
}

#[tokio::test]
async fn a_discovery_document_must_name_its_issuer_and_an_allowed_key_address() {
    let signer = Signer::new("a");
    let issuer = Issuer::start(keys(&[&signer])).await;
    let name = issuer.name.clone();
    let keys_url = issuer.jwks_url();
    let cases = [
        ("names another issuer", json!({ "issuer": name.trim_end_matches('/'), "jwks_uri": keys_url })),
        ("not JSON", json!({ "issuer": name })),
        ("loopback only", json!({ "issuer": name, "jwks_uri": "http://id.example.org/jwks" })),
        ("only https", json!({ "issuer": name, "jwks_uri": "file:///etc/keys.json" })),
        ("not an absolute URL", json!({ "issuer": name, "jwks_uri": "/jwks" })),
        ("password", json!({ "issuer": name, "jwks_uri": "https://a:b@id.example.org/jwks" })),
    ];
    for (expected, discovery) in cases {
        issuer.discovery(discovery);
        let identity = started(&[&issuer], timing());
        eventually(expected, || identity.readiness().is_err_and(|reason| reason.contains(expected))).await;
    }
    assert_eq!(issuer.fetches(), 0);
}

#[tokio::test]
async fn a_configured_key_address_skips_discovery() {
    let signer = Signer::new("a");
    let issuer = Issuer::start(keys(&[&signer])).await;
    let mut settings = settings(&[&issuer], timing());
    settings.jwks_url = Some(issuer.jwks_url());
    let identity = Identity::new(settings).unwrap();
    identity.start();
    verify(&identity, &signer.token(&issuer.name)).await.unwrap();
    assert_eq!((issuer.discoveries(), issuer.fetches()), (0, 1));
}

/// A buffer that collects the log lines of this process.
#[derive(Clone, Default)]
struct LogBuffer(Arc<Mutex<Vec<u8>>>);

impl Write for LogBuffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_reports_each_change_once_and_never_a_token() {
    let log = LogBuffer::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    // A global subscriber: a subscriber of this thread would miss callsites that other threads
    // register first. The lines of this test are those with its issuer's name.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    tracing::callsite::rebuild_interest_cache();

    let signer = Signer::new("a");
    let issuer = Issuer::start(keys(&[&signer])).await;
    let lines = || String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let count = |text: &str| {
        lines().lines().filter(|line| line.contains(&issuer.name) && line.contains(text)).count()
    };
    let identity =
        ready(&[&issuer], KeyTiming { max_age: millis(20), cooldown: millis(20), ..timing() }).await;
    let tokens = [signer.token(&issuer.name), Signer::new("b").token(&issuer.name)];
    for token in &tokens {
        let _ = verify(&identity, token).await;
    }
    issuer.answer(Answer::Text(500, String::new()));
    let before = issuer.fetches();
    eventually("failures", || issuer.fetches() > before + 5).await;
    assert_eq!((count("fetched the issuer"), count("cannot fetch")), (1, 1));

    issuer.answer(keys(&[&signer]));
    let before = issuer.fetches();
    eventually("successes", || issuer.fetches() > before + 5).await;
    assert_eq!((count("fetched the issuer"), count("cannot fetch")), (2, 1));
    assert!(tokens.iter().all(|token| !lines().contains(token)));
}
