//! A test issuer on loopback, with real keys, that misbehaves on request.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::support::seconds;

/// A signing key with its key id.
pub struct Signer {
    pub kid: String,
    pair: Ed25519KeyPair,
}

impl Signer {
    pub fn new(kid: &str) -> Signer {
        Signer { kid: kid.to_owned(), pair: Ed25519KeyPair::generate().unwrap() }
    }

    pub fn jwk(&self) -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": self.kid, "x": encode(self.pair.public_key()) })
    }

    /// Returns a token that is valid except for the given claims.
    pub fn token_with(&self, issuer: &str, claims_to_set: Value) -> String {
        self.token_of_type("at+jwt", issuer, claims_to_set)
    }

    /// Returns a token like `token_with`, with the given `typ` in its header.
    pub fn token_of_type(&self, typ: &str, issuer: &str, claims_to_set: Value) -> String {
        let now = seconds();
        let mut claims = json!({
            "iss": issuer, "sub": "ada", "aud": "dezky-portal", "iat": now, "exp": now + 300,
            "jti": JTI.fetch_add(1, Ordering::Relaxed),
        });
        claims.as_object_mut().unwrap().extend(claims_to_set.as_object().unwrap().clone());
        let header = json!({ "alg": "EdDSA", "kid": self.kid, "typ": typ });
        let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        format!("{signed}.{}", encode(self.pair.sign(signed.as_bytes())))
    }

    pub fn token(&self, issuer: &str) -> String {
        self.token_with(issuer, json!({}))
    }
}

/// Makes every token unique, so that no token is a cache hit by accident.
static JTI: AtomicUsize = AtomicUsize::new(0);

pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The answer of the issuer to a request for its keys.
#[derive(Clone)]
pub enum Answer {
    Text(u16, String),
    /// The text, after the delay.
    Late(Duration, String),
    /// The beginning of a valid key set, then 10 MB of white space, without a content length.
    Huge,
    /// The head at once, then one byte every 20 ms.
    Trickle,
    Redirect,
}

pub fn keys(signers: &[&Signer]) -> Answer {
    Answer::Text(200, key_text(signers))
}

pub fn key_text(signers: &[&Signer]) -> String {
    json!({ "keys": signers.iter().map(|signer| signer.jwk()).collect::<Vec<_>>() }).to_string()
}

/// An issuer that listens on a loopback port and counts its requests.
pub struct Issuer {
    pub name: String,
    address: SocketAddr,
    shared: Arc<Shared>,
    server: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    discovery: Mutex<Value>,
    answer: Mutex<Answer>,
    discoveries: AtomicUsize,
    fetches: AtomicUsize,
    concurrent: AtomicUsize,
    most_concurrent: AtomicUsize,
    followed_redirects: AtomicUsize,
    chunks: Arc<AtomicUsize>,
    dropped_bodies: Arc<AtomicUsize>,
}

/// Counts when the body that owns this value is dropped.
struct CountsDrop(Arc<AtomicUsize>);

impl Drop for CountsDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// The number of 64 KiB chunks in the huge answer.
pub const HUGE_CHUNKS: usize = 160;

impl Issuer {
    /// Starts an issuer whose name ends with a slash.
    pub async fn start(answer: Answer) -> Issuer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let name = format!("http://{address}/application/o/dezky/");
        let discovery = json!({ "issuer": name, "jwks_uri": format!("http://{address}/jwks") });
        let shared = Arc::new(Shared {
            discovery: Mutex::new(discovery),
            answer: Mutex::new(answer),
            discoveries: AtomicUsize::new(0),
            fetches: AtomicUsize::new(0),
            concurrent: AtomicUsize::new(0),
            most_concurrent: AtomicUsize::new(0),
            followed_redirects: AtomicUsize::new(0),
            chunks: Arc::default(),
            dropped_bodies: Arc::default(),
        });
        let issuer = Issuer { name, address, shared, server: Mutex::new(None) };
        issuer.serve(listener);
        issuer
    }

    fn serve(&self, listener: TcpListener) {
        let router = Router::new()
            .route("/application/o/dezky/.well-known/openid-configuration", get(discover))
            .route("/jwks", get(fetch))
            .route("/redirect-target", get(redirect_target))
            .with_state(Arc::clone(&self.shared));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        *self.server.lock().unwrap() = Some(server);
    }

    pub async fn go_down(&self) {
        let server = self.server.lock().unwrap().take().unwrap();
        server.abort();
        let _ = server.await;
    }

    pub async fn come_up(&self) {
        self.serve(TcpListener::bind(self.address).await.unwrap());
    }

    pub fn answer(&self, answer: Answer) {
        *self.shared.answer.lock().unwrap() = answer;
    }

    pub fn discovery(&self, discovery: Value) {
        *self.shared.discovery.lock().unwrap() = discovery;
    }

    pub fn jwks_url(&self) -> String {
        format!("http://{}/jwks", self.address)
    }

    pub fn discoveries(&self) -> usize {
        self.shared.discoveries.load(Ordering::SeqCst)
    }

    pub fn fetches(&self) -> usize {
        self.shared.fetches.load(Ordering::SeqCst)
    }

    pub fn most_concurrent(&self) -> usize {
        self.shared.most_concurrent.load(Ordering::SeqCst)
    }

    pub fn followed_redirects(&self) -> usize {
        self.shared.followed_redirects.load(Ordering::SeqCst)
    }

    /// Returns the number of chunks of the huge answer that were produced.
    pub fn chunks(&self) -> usize {
        self.shared.chunks.load(Ordering::SeqCst)
    }

    /// Returns how many bodies of the huge answer were dropped, sent whole or not.
    pub fn dropped_bodies(&self) -> usize {
        self.shared.dropped_bodies.load(Ordering::SeqCst)
    }
}

async fn discover(State(shared): State<Arc<Shared>>) -> String {
    shared.discoveries.fetch_add(1, Ordering::SeqCst);
    shared.discovery.lock().unwrap().to_string()
}

async fn redirect_target(State(shared): State<Arc<Shared>>) -> String {
    shared.followed_redirects.fetch_add(1, Ordering::SeqCst);
    String::new()
}

async fn fetch(State(shared): State<Arc<Shared>>) -> Response<Body> {
    shared.fetches.fetch_add(1, Ordering::SeqCst);
    let concurrent = shared.concurrent.fetch_add(1, Ordering::SeqCst) + 1;
    shared.most_concurrent.fetch_max(concurrent, Ordering::SeqCst);
    let answer = shared.answer.lock().unwrap().clone();
    let response = match answer {
        Answer::Text(status, text) => respond(status, Body::from(text)),
        Answer::Late(delay, text) => {
            tokio::time::sleep(delay).await;
            respond(200, Body::from(text))
        }
        Answer::Huge => {
            let chunks = Arc::clone(&shared.chunks);
            let counts_drop = CountsDrop(Arc::clone(&shared.dropped_bodies));
            let pieces = stream::iter(0..HUGE_CHUNKS).then(move |index| {
                let _owned = &counts_drop;
                chunks.fetch_add(1, Ordering::SeqCst);
                let begin = if index == 0 { "{\"keys\":[" } else { "" };
                async move {
                    tokio::task::yield_now().await;
                    Ok::<_, Infallible>(format!("{begin}{}", " ".repeat(65_536)))
                }
            });
            respond(200, Body::from_stream(pieces))
        }
        Answer::Trickle => {
            let pieces = stream::iter(0..1_000).then(|_| async {
                tokio::time::sleep(Duration::from_millis(20)).await;
                Ok::<_, Infallible>(" ".to_owned())
            });
            respond(200, Body::from_stream(pieces))
        }
        Answer::Redirect => {
            let mut response = respond(302, Body::empty());
            response.headers_mut().insert("location", "/redirect-target".parse().unwrap());
            response
        }
    };
    shared.concurrent.fetch_sub(1, Ordering::SeqCst);
    response
}

fn respond(status: u16, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}
