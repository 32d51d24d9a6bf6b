//! The authorization endpoint: the page to pick a persona, the code that it returns, and sign-out.

use std::sync::{Arc, PoisonError};

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{Response, StatusCode};
use url::Url;

use crate::answer::{self, Parameters};
use crate::codes::Grant;
use crate::{Provider, host, page, signer};

/// A valid authorization request.
struct AuthorizationRequest {
    target: Url,
    client_id: String,
    challenge: String,
}

pub(crate) async fn choose(
    State(provider): State<Arc<Provider>>,
    RawQuery(query): RawQuery,
) -> Response<Body> {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes());
    let Some(parameters) = parameters else { return reject("The request repeats a parameter.") };
    let request = match validate(&parameters) {
        Ok(request) => request,
        Err(rejection) => return *rejection,
    };
    // The provider keeps no sessions, so it can never answer without its page.
    if parameters.get("prompt") == Some("none") {
        return send_back(&request.target, &parameters, &[("error", "login_required")]);
    }
    let page = page::choice(&provider.personas, provider.url.path(), &request.client_id, &parameters);
    answer::html(StatusCode::OK, page, Some(&request.target))
}

pub(crate) async fn chosen(State(provider): State<Arc<Provider>>, body: Body) -> Response<Body> {
    let body = match answer::body(body).await {
        Ok(body) => body,
        Err(problem) => return problem.respond(),
    };
    let Some(parameters) = Parameters::parse(&body) else {
        return reject("The request repeats a parameter.");
    };
    let request = match validate(&parameters) {
        Ok(request) => request,
        Err(rejection) => return *rejection,
    };
    let Some(persona) = parameters.get("persona").and_then(|name| provider.persona(name)) else {
        return reject("This persona does not exist.");
    };
    let Some(code) = signer::random_code() else {
        return send_back(&request.target, &parameters, &[("error", "server_error")]);
    };
    let grant = Grant {
        persona: persona.name.clone(),
        client_id: request.client_id,
        redirect_uri: parameters.get("redirect_uri").unwrap_or_default().to_owned(),
        challenge: request.challenge,
        nonce: parameters.get("nonce").map(str::to_owned),
    };
    provider.codes.lock().unwrap_or_else(PoisonError::into_inner).put(code.clone(), grant);
    send_back(&request.target, &parameters, &[("code", &code), ("iss", &provider.issuer)])
}

pub(crate) async fn end_session(RawQuery(query): RawQuery) -> Response<Body> {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    match parameters.get("post_logout_redirect_uri").map(host::local_url) {
        Some(Some(target)) => send_back(&target, &parameters, &[]),
        Some(None) => reject("post_logout_redirect_uri must be an address on this machine."),
        None => answer::html(StatusCode::OK, page::message("Signed out", "You are signed out."), None),
    }
}

/// Validates an authorization request. Errors appear on a page of the provider until `redirect_uri`
/// is valid; later errors go to the application.
fn validate(parameters: &Parameters) -> Result<AuthorizationRequest, Box<Response<Body>>> {
    let Some(target) = parameters.get("redirect_uri").and_then(host::local_url) else {
        return Err(Box::new(reject("redirect_uri must be an address on this machine.")));
    };
    let Some(client_id) = parameters.get("client_id") else {
        return Err(Box::new(reject("client_id is missing.")));
    };
    let error = |error: &str, description: &str| {
        let members = [("error", error), ("error_description", description)];
        Err(Box::new(send_back(&target, parameters, &members)))
    };
    if parameters.get("response_type") != Some("code") {
        return error("unsupported_response_type", "only the response type \"code\" is supported");
    }
    if parameters.get("code_challenge_method") != Some("S256") {
        return error("invalid_request", "PKCE with code_challenge_method S256 is required");
    }
    let challenge = parameters.get("code_challenge").filter(|challenge| challenge.len() == 43);
    let Some(challenge) = challenge else {
        return error("invalid_request", "code_challenge must be a SHA-256 digest in base64url");
    };
    let (client_id, challenge) = (client_id.to_owned(), challenge.to_owned());
    Ok(AuthorizationRequest { target, client_id, challenge })
}

/// Redirects to the application, with the `state` that it sent.
fn send_back(target: &Url, parameters: &Parameters, members: &[(&str, &str)]) -> Response<Body> {
    let mut target = target.clone();
    let state = parameters.get("state").map(|state| ("state", state));
    if state.is_some() || !members.is_empty() {
        target.query_pairs_mut().extend_pairs(members.iter().copied().chain(state));
    }
    answer::redirect(&target)
}

fn reject(reason: &str) -> Response<Body> {
    answer::html(StatusCode::BAD_REQUEST, page::message("The request is not valid", reason), None)
}
