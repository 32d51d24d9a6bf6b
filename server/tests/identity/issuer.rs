//! An issuer on loopback, with real keys, that can be made to do what issuers should not.

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

/// A key with an id.
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

    /// A good token but for these members.
    pub fn token_with(&self, issuer: &str, members: Value) -> String {
        self.token_of_type("at+jwt", issuer, members)
    }

    /// The same with this `typ` in its header.
    pub fn token_of_type(&self, typ: &str, issuer: &str, members: Value) -> String {
        let now = seconds();
        let mut claims = json!({
            "iss": issuer, "sub": "ada", "aud": "dezky-portal", "iat": now, "exp": now + 300,
            "jti": JTI.fetch_add(1, Ordering::Relaxed),
        });
        claims.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let header = json!({ "alg": "EdDSA", "kid": self.kid, "typ": typ });
        let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        format!("{signed}.{}", encode(self.pair.sign(signed.as_bytes())))
    }

    pub fn token(&self, issuer: &str) -> String {
        self.token_with(issuer, json!({}))
    }
}

/// No two tokens are the same, so that none is taken for one seen before.
static JTI: AtomicUsize = AtomicUsize::new(0);

pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What the issuer answers where its keys are.
#[derive(Clone)]
pub enum Answer {
    Text(u16, String),
    /// Each time after this long.
    Late(Duration, String),
    /// A valid set that never ends within 10 MB, and without a length.
    Huge,
    /// The head at once, then a byte now and then.
    Trickle,
    Redirect,
}

pub fn keys(signers: &[&Signer]) -> Answer {
    Answer::Text(200, key_text(signers))
}

pub fn key_text(signers: &[&Signer]) -> String {
    json!({ "keys": signers.iter().map(|signer| signer.jwk()).collect::<Vec<_>>() }).to_string()
}

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
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
    followed: AtomicUsize,
    chunks: Arc<AtomicUsize>,
}

/// How many pieces of 64 KiB the huge answer has.
pub const HUGE_CHUNKS: usize = 160;

impl Issuer {
    /// An issuer at `/`, with a slash at the end of its name.
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
            at_once: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
            followed: AtomicUsize::new(0),
            chunks: Arc::default(),
        });
        let issuer = Issuer { name, address, shared, server: Mutex::new(None) };
        issuer.serve(listener);
        issuer
    }

    fn serve(&self, listener: TcpListener) {
        let router = Router::new()
            .route("/application/o/dezky/.well-known/openid-configuration", get(discover))
            .route("/jwks", get(fetch))
            .route("/elsewhere", get(elsewhere))
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

    pub fn most_at_once(&self) -> usize {
        self.shared.most_at_once.load(Ordering::SeqCst)
    }

    pub fn followed(&self) -> usize {
        self.shared.followed.load(Ordering::SeqCst)
    }

    /// How many pieces of the huge answer went out.
    pub fn chunks(&self) -> usize {
        self.shared.chunks.load(Ordering::SeqCst)
    }
}

async fn discover(State(shared): State<Arc<Shared>>) -> String {
    shared.discoveries.fetch_add(1, Ordering::SeqCst);
    shared.discovery.lock().unwrap().to_string()
}

async fn elsewhere(State(shared): State<Arc<Shared>>) -> String {
    shared.followed.fetch_add(1, Ordering::SeqCst);
    String::new()
}

async fn fetch(State(shared): State<Arc<Shared>>) -> Response<Body> {
    shared.fetches.fetch_add(1, Ordering::SeqCst);
    let at_once = shared.at_once.fetch_add(1, Ordering::SeqCst) + 1;
    shared.most_at_once.fetch_max(at_once, Ordering::SeqCst);
    let answer = shared.answer.lock().unwrap().clone();
    let response = match answer {
        Answer::Text(status, text) => respond(status, Body::from(text)),
        Answer::Late(delay, text) => {
            tokio::time::sleep(delay).await;
            respond(200, Body::from(text))
        }
        Answer::Huge => {
            let chunks = Arc::clone(&shared.chunks);
            let pieces = stream::iter(0..HUGE_CHUNKS).then(move |index| {
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
            response.headers_mut().insert("location", "/elsewhere".parse().unwrap());
            response
        }
    };
    shared.at_once.fetch_sub(1, Ordering::SeqCst);
    response
}

fn respond(status: u16, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}
