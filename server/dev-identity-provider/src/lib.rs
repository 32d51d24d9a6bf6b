//! The OpenID Connect provider that `dezky-server serve --dev` builds in.
//!
//! Anybody may sign in as any persona without a password, so the provider serves loopback only.
//! A browser picks a persona on a page and follows the authorization code flow with PKCE. A script
//! sends a persona's name to `POST /dev/token` and receives an access token.

mod answer;
mod authorize;
mod codes;
mod exchange;
mod host;
mod page;
mod personas;
mod problem;
mod signer;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::middleware::from_fn;
use axum::routing::{get, post};
use serde_json::{Value, json};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use url::Url;

use codes::Codes;
pub use personas::{Persona, personas};
use signer::Signer;

/// The endpoint that gives scripts a token without a page.
const SCRIPT_PATH: &str = "/dev/token";

/// The time for an answer, as everywhere in the server.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// The built-in identity provider.
///
/// ```
/// use dezky_dev_identity_provider::{Provider, personas};
///
/// let provider = Provider::new("http://127.0.0.1:7070/dev/oidc", personas())?;
/// let router = provider.router();
/// # Ok::<(), dezky_dev_identity_provider::ProviderError>(())
/// ```
#[derive(Debug)]
pub struct Provider {
    issuer: String,
    url: Url,
    personas: Vec<Persona>,
    signer: Signer,
    codes: Mutex<Codes>,
}

/// The reason why a [`Provider`] cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// The issuer is not a plain http address on loopback, or its path does not fit a route.
    #[error("the built-in identity provider is for plain http on loopback only, not for {0:?}")]
    Issuer(String),
    /// The list of personas is empty.
    #[error("the built-in identity provider has no personas")]
    Personas,
    /// The system's random numbers failed.
    #[error("the signing key cannot be generated")]
    Key,
}

impl Provider {
    /// Builds a provider with a signing key that lives as long as the process. The issuer is an
    /// address with a path, such as `http://127.0.0.1:7070/dev/oidc`.
    pub fn new(issuer: &str, personas: Vec<Persona>) -> Result<Arc<Provider>, ProviderError> {
        let url = issuer_url(issuer).ok_or_else(|| ProviderError::Issuer(issuer.to_owned()))?;
        if personas.is_empty() {
            return Err(ProviderError::Personas);
        }
        let signer = Signer::new().ok_or(ProviderError::Key)?;
        Ok(Arc::new(Provider { issuer: issuer.to_owned(), url, personas, signer, codes: Mutex::default() }))
    }

    /// The routes below the issuer's path, and `POST /dev/token`.
    pub fn router(self: &Arc<Self>) -> Router {
        let at = |path: &str| format!("{}{path}", self.url.path());
        let no_sniff = HeaderValue::from_static("nosniff");
        let no_referrer = HeaderValue::from_static("no-referrer");
        Router::new()
            .route(&at("/.well-known/openid-configuration"), get(discovery))
            .route(&at("/jwks"), get(key_set))
            .route(&at("/authorize"), get(authorize::choose).post(authorize::chosen))
            .route(&at("/token"), post(exchange::by_code))
            .route(&at("/end_session"), get(authorize::end_session))
            .route(SCRIPT_PATH, post(exchange::by_name))
            .with_state(Arc::clone(self))
            .layer(from_fn(host::reject_foreign_hosts))
            .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, ANSWER_TIMEOUT))
            .layer(CatchPanicLayer::new())
            .layer(SetResponseHeaderLayer::overriding(X_CONTENT_TYPE_OPTIONS, no_sniff))
            .layer(SetResponseHeaderLayer::overriding(REFERRER_POLICY, no_referrer))
    }

    fn persona(&self, name: &str) -> Option<&Persona> {
        self.personas.iter().find(|persona| persona.name == name)
    }
}

/// Parses the issuer's address, and returns `None` unless the provider can serve it.
fn issuer_url(issuer: &str) -> Option<Url> {
    let url = host::local_url(issuer)?;
    (url.scheme() == "http" && url.query().is_none() && is_route_path(url.path())).then_some(url)
}

/// Returns whether routes can be built below the path without shadowing the scripts' endpoint.
fn is_route_path(path: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_');
    path.bytes().all(is_plain) && !path.ends_with('/') && format!("{path}/token") != SCRIPT_PATH
}

async fn discovery(State(provider): State<Arc<Provider>>) -> Response<Body> {
    let issuer = &provider.issuer;
    let body = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "end_session_endpoint": format!("{issuer}/end_session"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "scopes_supported": ["openid", "profile", "email", "groups"],
        "claims_supported": ["sub", "email", "email_verified", "name", "groups"],
    });
    answer::for_any_origin(answer::json(StatusCode::OK, &body))
}

async fn key_set(State(provider): State<Arc<Provider>>) -> Response<Body> {
    let body: Value = json!({ "keys": [provider.signer.jwk()] });
    answer::for_any_origin(answer::json(StatusCode::OK, &body))
}
