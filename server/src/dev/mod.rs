//! The identity provider that is built in for `serve --dev`: anyone may sign in as anybody, so it is for this machine only.

mod answer;
mod authorize;
mod codes;
mod exchange;
mod page;
mod personas;
mod signer;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{HOST, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{Response, StatusCode, Uri};
use axum::middleware::{Next, from_fn};
use axum::routing::{get, post};
use reqwest::Url;
use serde_json::{Value, json};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

use crate::http::host::judge_host;
use crate::http::limits::ANSWER_TIMEOUT;
use crate::http::page::{NO_REFERRER, NO_SNIFF};
use crate::http::problem::Problem;
use crate::identity::{is_loopback_host, issuer_url};
use codes::Codes;
pub use personas::{Persona, personas};
use signer::Signer;

/// Where the issuer is, under the server's address.
pub const ISSUER_PATH: &str = "/dev/oidc";

/// Where a script gets a token without any page.
const SCRIPT_PATH: &str = "/dev/token";

/// The built-in identity provider.
#[derive(Debug)]
pub struct Provider {
    issuer: String,
    url: Url,
    personas: Vec<Persona>,
    signer: Signer,
    codes: Mutex<Codes>,
}

/// Why there is no built-in identity provider.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// It would be reachable from elsewhere.
    #[error("the built-in identity provider is for plain http on loopback only, not for {0:?}")]
    Issuer(String),
    /// There is nobody to sign in as.
    #[error("the built-in identity provider has no personas")]
    Personas,
    /// The system gave no key.
    #[error("no signing key can be made")]
    Key,
}

impl Provider {
    /// A provider with a key of its own, which is gone when the process ends. The issuer has a path, such as `/dev/oidc`.
    pub fn new(issuer: &str, personas: Vec<Persona>) -> Result<Arc<Provider>, ProviderError> {
        let refused = || ProviderError::Issuer(issuer.to_owned());
        let url = issuer_url(issuer).map_err(|_| refused())?;
        if url.scheme() != "http" || !is_fit_path(url.path()) {
            return Err(refused());
        }
        if personas.is_empty() {
            return Err(ProviderError::Personas);
        }
        let signer = Signer::new().ok_or(ProviderError::Key)?;
        Ok(Arc::new(Provider { issuer: issuer.to_owned(), url, personas, signer, codes: Mutex::default() }))
    }

    /// The routes, at the paths that the issuer's address says, and `POST /dev/token`.
    pub fn router(self: &Arc<Self>) -> Router {
        let at = |path: &str| format!("{}{path}", self.url.path());
        Router::new()
            .route(&at("/.well-known/openid-configuration"), get(discovery))
            .route(&at("/jwks"), get(key_set))
            .route(&at("/authorize"), get(authorize::choose).post(authorize::chosen))
            .route(&at("/token"), post(exchange::by_code))
            .route(&at("/end_session"), get(authorize::end_session))
            .route(SCRIPT_PATH, post(exchange::by_name))
            .with_state(Arc::clone(self))
            .layer(from_fn(refuse_foreign_hosts))
            .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, ANSWER_TIMEOUT))
            .layer(CatchPanicLayer::new())
            .layer(SetResponseHeaderLayer::overriding(X_CONTENT_TYPE_OPTIONS, NO_SNIFF))
            .layer(SetResponseHeaderLayer::overriding(REFERRER_POLICY, NO_REFERRER))
    }

    fn persona(&self, name: &str) -> Option<&Persona> {
        self.personas.iter().find(|persona| persona.name == name)
    }

    /// Where a browser may be sent with a code: to this machine, and nowhere else.
    fn return_address(&self, text: &str) -> Option<Url> {
        let url = Url::parse(text).ok()?;
        let is_here =
            matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(is_loopback_host);
        let is_plain = url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
        (is_plain && (is_here || url.origin() == self.url.origin())).then_some(url)
    }
}

/// A path that routes can be made of, and that leaves the scripts' own alone.
fn is_fit_path(path: &str) -> bool {
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

/// A page from elsewhere whose host's name was made to mean this machine (DNS rebinding) would read tokens here as its own.
async fn refuse_foreign_hosts(request: Request, next: Next) -> Response<Body> {
    if let Err(problem) = judge_host(request.version(), request.headers()) {
        return answer::problem(problem);
    }
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let authority = host.and_then(|host| host.parse::<Uri>().ok()).and_then(|uri| uri.into_parts().authority);
    if authority.is_some_and(|authority| is_loopback_host(authority.host())) {
        return next.run(request).await;
    }
    let detail = "The built-in identity provider answers on loopback only";
    answer::problem(Problem::new(StatusCode::MISDIRECTED_REQUEST, "foreign_host", detail))
}
