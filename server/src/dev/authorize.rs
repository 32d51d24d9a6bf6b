//! The authorization endpoint: the page to pick a persona, and the code that follows.

use std::sync::{Arc, PoisonError};

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{Response, StatusCode};
use reqwest::Url;

use super::answer::{self, Parameters};
use super::codes::Grant;
use super::{Provider, page, signer};

/// A request that may be granted.
struct Wanted {
    target: Url,
    client_id: String,
    challenge: String,
}

pub(super) async fn choose(
    State(provider): State<Arc<Provider>>,
    RawQuery(query): RawQuery,
) -> Response<Body> {
    let parameters = Parameters::read(query.unwrap_or_default().as_bytes());
    let Some(parameters) = parameters else { return refuse("A parameter is given twice.") };
    let wanted = match wanted(&provider, &parameters) {
        Ok(wanted) => wanted,
        Err(refusal) => return *refusal,
    };
    // Nobody is ever signed in here, so there is no answer without asking.
    if parameters.get("prompt") == Some("none") {
        return send_back(&wanted.target, &parameters, &[("error", "login_required")]);
    }
    let page = page::choice(&provider.personas, provider.url.path(), &wanted.client_id, &parameters);
    answer::html(StatusCode::OK, page, Some(&wanted.target))
}

pub(super) async fn chosen(State(provider): State<Arc<Provider>>, body: Body) -> Response<Body> {
    let body = match answer::body(body).await {
        Ok(body) => body,
        Err(problem) => return answer::problem(problem),
    };
    let Some(parameters) = Parameters::read(&body) else { return refuse("A parameter is given twice.") };
    let wanted = match wanted(&provider, &parameters) {
        Ok(wanted) => wanted,
        Err(refusal) => return *refusal,
    };
    let Some(persona) = parameters.get("persona").and_then(|name| provider.persona(name)) else {
        return refuse("There is no such persona.");
    };
    let Some(code) = signer::random_code() else {
        return send_back(&wanted.target, &parameters, &[("error", "server_error")]);
    };
    let grant = Grant {
        persona: persona.name.clone(),
        client_id: wanted.client_id,
        redirect_uri: parameters.get("redirect_uri").unwrap_or_default().to_owned(),
        challenge: wanted.challenge,
        nonce: parameters.get("nonce").map(str::to_owned),
    };
    provider.codes.lock().unwrap_or_else(PoisonError::into_inner).put(code.clone(), grant);
    send_back(&wanted.target, &parameters, &[("code", &code), ("iss", &provider.issuer)])
}

pub(super) async fn end_session(
    State(provider): State<Arc<Provider>>,
    RawQuery(query): RawQuery,
) -> Response<Body> {
    let parameters = Parameters::read(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    match parameters.get("post_logout_redirect_uri").map(|text| provider.return_address(text)) {
        Some(Some(target)) => send_back(&target, &parameters, &[]),
        Some(None) => refuse("This address to return to is not on this machine."),
        None => answer::html(StatusCode::OK, page::message("Signed out", "You are signed out."), None),
    }
}

/// Until the address to return to is known to be fit, what is wrong is told here; from then on, there.
fn wanted(provider: &Provider, parameters: &Parameters) -> Result<Wanted, Box<Response<Body>>> {
    let Some(target) = parameters.get("redirect_uri").and_then(|text| provider.return_address(text)) else {
        return Err(Box::new(refuse("redirect_uri must be an address on this machine.")));
    };
    let Some(client_id) = parameters.get("client_id") else {
        return Err(Box::new(refuse("client_id is missing.")));
    };
    let error = |error: &str, description: &str| {
        let members = [("error", error), ("error_description", description)];
        Err(Box::new(send_back(&target, parameters, &members)))
    };
    if parameters.get("response_type") != Some("code") {
        return error("unsupported_response_type", "only the response type code is supported");
    }
    if parameters.get("code_challenge_method") != Some("S256") {
        return error("invalid_request", "PKCE with code_challenge_method S256 is required");
    }
    let challenge = parameters.get("code_challenge").filter(|challenge| challenge.len() == 43);
    let Some(challenge) = challenge else {
        return error("invalid_request", "code_challenge must be a SHA-256 in base64url");
    };
    let (client_id, challenge) = (client_id.to_owned(), challenge.to_owned());
    Ok(Wanted { target, client_id, challenge })
}

/// Back to the application, with its own `state`.
fn send_back(target: &Url, parameters: &Parameters, members: &[(&str, &str)]) -> Response<Body> {
    let mut target = target.clone();
    let state = parameters.get("state").map(|state| ("state", state));
    if state.is_some() || !members.is_empty() {
        target.query_pairs_mut().extend_pairs(members.iter().copied().chain(state));
    }
    answer::redirect(&target)
}

fn refuse(reason: &str) -> Response<Body> {
    answer::html(StatusCode::BAD_REQUEST, page::message("This request cannot be granted", reason), None)
}
