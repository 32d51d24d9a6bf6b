//! The two ways to a token: a code that the page gave, and a persona's name for scripts.

use std::sync::{Arc, PoisonError};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::answer::{self, Parameters};
use super::signer::{LIFETIME_SECONDS, encode};
use super::{Persona, Provider};
use crate::http::problem::Problem;

/// The client that a script's token names.
const SCRIPT_CLIENT: &str = "dezky-dev-script";

pub(super) async fn by_code(State(provider): State<Arc<Provider>>, body: Body) -> Response<Body> {
    let body = match answer::body(body).await {
        Ok(body) => body,
        Err(problem) => return answer::for_any_origin(answer::problem(problem)),
    };
    let answer = match redeem(&provider, &body) {
        Ok(tokens) => answer::json(StatusCode::OK, &tokens),
        Err((error, description)) => {
            let body = json!({ "error": error, "error_description": description });
            answer::json(StatusCode::BAD_REQUEST, &body)
        }
    };
    answer::for_any_origin(answer)
}

/// The tokens, or what RFC 6749 calls the error, and a description.
fn redeem(provider: &Provider, form: &[u8]) -> Result<Value, (&'static str, &'static str)> {
    let form = Parameters::read(form).ok_or(("invalid_request", "a parameter is given twice"))?;
    if form.get("grant_type") != Some("authorization_code") {
        return Err(("unsupported_grant_type", "only authorization_code is supported"));
    }
    let code = form.get("code").ok_or(("invalid_request", "code is missing"))?;
    let grant = provider.codes.lock().unwrap_or_else(PoisonError::into_inner).take(code);
    let grant = grant.ok_or(("invalid_grant", "the code is unknown, used or expired"))?;
    if form.get("client_id") != Some(&grant.client_id)
        || form.get("redirect_uri") != Some(&grant.redirect_uri)
    {
        return Err(("invalid_grant", "the code was given to another client or address"));
    }
    let verifier = form.get("code_verifier").ok_or(("invalid_grant", "code_verifier is missing"))?;
    let challenge = encode(Sha256::digest(verifier));
    if verify_slices_are_equal(challenge.as_bytes(), grant.challenge.as_bytes()).is_err() {
        return Err(("invalid_grant", "code_verifier is not that of the code"));
    }
    let tokens = || {
        let persona = provider.persona(&grant.persona)?;
        let access_token = provider.signer.access_token(&provider.issuer, persona, &grant.client_id)?;
        let id_token = provider.signer.id_token(&provider.issuer, persona, &grant, &access_token)?;
        Some(json!({
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": LIFETIME_SECONDS,
            "id_token": id_token,
        }))
    };
    tokens().ok_or(("server_error", "the token cannot be signed"))
}

pub(super) async fn by_name(State(provider): State<Arc<Provider>>, body: Body) -> Response<Body> {
    let token = match answer::body(body).await {
        Ok(body) => named(&provider, &body).and_then(|persona| token(&provider, persona)),
        Err(problem) => Err(problem),
    };
    // Not for other origins: any page that the browser shows could help itself.
    match token {
        Ok(token) => answer::json(StatusCode::OK, &token),
        Err(problem) => answer::problem(problem),
    }
}

fn named<'p>(provider: &'p Provider, body: &[u8]) -> Result<&'p Persona, Problem> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "invalid_json", "The body is not JSON"))?;
    let persona = body.get("persona").and_then(Value::as_str).and_then(|name| provider.persona(name));
    persona.ok_or_else(|| {
        let names: Vec<&str> = provider.personas.iter().map(|persona| persona.name.as_str()).collect();
        Problem::invalid(
            "/persona",
            "unknown_persona",
            "There is no such persona; personas lists those there are",
        )
        .with_member("personas", json!(names))
    })
}

fn token(provider: &Provider, persona: &Persona) -> Result<Value, Problem> {
    let token = provider.signer.access_token(&provider.issuer, persona, SCRIPT_CLIENT).ok_or_else(|| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "signing_failed", "The token cannot be signed")
    })?;
    Ok(json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": LIFETIME_SECONDS,
        "persona": persona.name,
    }))
}
