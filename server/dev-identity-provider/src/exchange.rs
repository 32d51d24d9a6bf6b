//! The token endpoints: one redeems the page's code, the other takes a persona's name from scripts.

use std::sync::{Arc, PoisonError};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::answer::{self, Parameters};
use crate::problem::OAuthError;
use crate::signer::{LIFETIME_SECONDS, encode};
use crate::{Persona, Provider};

/// The `client_id` of a script's token.
const SCRIPT_CLIENT: &str = "dezky-dev-script";

pub(crate) async fn by_code(State(provider): State<Arc<Provider>>, body: Body) -> Response<Body> {
    let body = match answer::body(body).await {
        Ok(body) => body,
        Err(problem) => return answer::for_any_origin(problem.respond()),
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

/// Returns the tokens, or the error code of RFC 6749 and its description.
fn redeem(provider: &Provider, form: &[u8]) -> Result<Value, (&'static str, &'static str)> {
    let form = Parameters::parse(form).ok_or(("invalid_request", "the request repeats a parameter"))?;
    if form.get("grant_type") != Some("authorization_code") {
        return Err(("unsupported_grant_type", "only authorization_code is supported"));
    }
    let code = form.get("code").ok_or(("invalid_request", "code is missing"))?;
    let grant = provider.codes.lock().unwrap_or_else(PoisonError::into_inner).take(code);
    let grant = grant.ok_or(("invalid_grant", "the code is unknown, used or expired"))?;
    if form.get("client_id") != Some(&grant.client_id)
        || form.get("redirect_uri") != Some(&grant.redirect_uri)
    {
        return Err(("invalid_grant", "the code belongs to another client or redirect_uri"));
    }
    let verifier = form.get("code_verifier").ok_or(("invalid_grant", "code_verifier is missing"))?;
    let challenge = encode(Sha256::digest(verifier));
    if verify_slices_are_equal(challenge.as_bytes(), grant.challenge.as_bytes()).is_err() {
        return Err(("invalid_grant", "code_verifier does not match the code"));
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

pub(crate) async fn by_name(State(provider): State<Arc<Provider>>, body: Body) -> Response<Body> {
    let token = match answer::body(body).await {
        Ok(body) => named(&provider, &body).and_then(|persona| token(&provider, persona)),
        Err(problem) => Err(problem),
    };
    // Other origins may not read the answer, because any page in the browser could fetch a token.
    match token {
        Ok(token) => answer::json(StatusCode::OK, &token),
        Err(problem) => problem.respond(),
    }
}

fn named<'p>(provider: &'p Provider, body: &[u8]) -> Result<&'p Persona, OAuthError> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|_| OAuthError::new(StatusCode::BAD_REQUEST, "invalid_json", "The body is not JSON"))?;
    let persona = body.get("persona").and_then(Value::as_str).and_then(|name| provider.persona(name));
    persona.ok_or_else(|| {
        let names: Vec<&str> = provider.personas.iter().map(|persona| persona.name.as_str()).collect();
        let detail = "This persona does not exist; `personas` lists every persona";
        OAuthError::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown_persona", detail)
            .with_path("/persona")
            .with_member("personas", json!(names))
    })
}

fn token(provider: &Provider, persona: &Persona) -> Result<Value, OAuthError> {
    let token = provider.signer.access_token(&provider.issuer, persona, SCRIPT_CLIENT).ok_or_else(|| {
        OAuthError::new(StatusCode::INTERNAL_SERVER_ERROR, "signing_failed", "The token cannot be signed")
    })?;
    Ok(json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": LIFETIME_SECONDS,
        "persona": persona.name,
    }))
}
