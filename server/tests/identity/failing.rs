//! What is not accepted as an answer changes nothing, and says why.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use dezky_server::identity::{Identity, KeyTiming, Refusal};
use serde_json::json;

use crate::issuer::{Answer, HUGE_CHUNKS, Issuer, Signer, key_text, keys};
use crate::support::{eventually, millis, ready, settings, sleep, started, timing, verify};

/// Each with what the reason must say.
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
async fn a_bad_answer_at_first_leaves_the_service_not_ready_with_the_reason() {
    for (expected, answer) in bad_answers() {
        let issuer = Issuer::start(answer).await;
        let identity = started(&[&issuer], KeyTiming { timeout: millis(250), ..timing() });
        let is_told = || identity.readiness().is_err_and(|reason| reason.contains(expected));
        eventually(expected, is_told).await;
        let token = Signer::new("a").token(&issuer.name);
        assert_eq!(verify(&identity, &token).await, Err(Refusal::NoKeys), "{expected}");
        assert_eq!(identity.key_ages(), [(issuer.name.clone(), None)]);
        assert_eq!(issuer.followed(), 0, "a redirect was followed");
    }
}

#[tokio::test]
async fn a_bad_answer_later_leaves_the_keys_as_they_are() {
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
        assert_eq!(issuer.followed(), 0, "a redirect was followed");
    }
}

#[tokio::test]
async fn reading_stops_where_an_answer_is_too_large() {
    let issuer = Issuer::start(Answer::Huge).await;
    let identity = started(&[&issuer], KeyTiming { cooldown: Duration::from_secs(30), ..timing() });
    eventually("told", || identity.readiness().is_err_and(|reason| reason.contains("exceeds"))).await;
    sleep(millis(100)).await;
    // What the sockets hold besides is not the reader's to say.
    assert!(issuer.chunks() < HUGE_CHUNKS, "all of it was sent");
}

#[tokio::test]
async fn an_issuer_that_is_down_at_first_is_found_when_it_comes_up() {
    let signer = Signer::new("a");
    let issuer = Issuer::start(keys(&[&signer])).await;
    issuer.go_down().await;
    // With the cooldown of production: the first retries come sooner.
    let identity = started(&[&issuer], KeyTiming::default());
    assert_eq!(verify(&identity, &signer.token(&issuer.name)).await, Err(Refusal::NoKeys));
    eventually("tried", || identity.readiness().is_err_and(|reason| reason.contains("error"))).await;
    issuer.come_up().await;
    let start = Instant::now();
    eventually("ready", || identity.readiness().is_ok()).await;
    assert!(start.elapsed() < Duration::from_secs(4));
    verify(&identity, &signer.token(&issuer.name)).await.unwrap();
}

#[tokio::test]
async fn a_discovery_document_must_be_the_issuers_own_and_lead_to_fit_keys() {
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
async fn a_given_address_of_the_keys_needs_no_discovery() {
    let signer = Signer::new("a");
    let issuer = Issuer::start(keys(&[&signer])).await;
    let mut settings = settings(&[&issuer], timing());
    settings.jwks_url = Some(issuer.jwks_url());
    let identity = Identity::new(settings).unwrap();
    identity.start();
    verify(&identity, &signer.token(&issuer.name)).await.unwrap();
    assert_eq!((issuer.discoveries(), issuer.fetches()), (0, 1));
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_tells_each_change_once_and_no_token() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    // For all threads, and each line is told by its issuer: a thread's own subscriber would miss what other threads met first.
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
