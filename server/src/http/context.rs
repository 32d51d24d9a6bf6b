//! The context of an evaluation, as the clients of OpenFeature send it: whose flags are asked for.

use axum::http::StatusCode;
use dezky_core::json::{JsonDocument, JsonNode};

use super::problem::Problem;

/// What of a context counts. Whatever else an application knows of its user is its own.
#[derive(Debug, Default)]
pub struct Context {
    /// The id or slug of a tenant.
    pub targeting_key: String,
    /// The environment, where one is named.
    pub environment: Option<String>,
}

impl Context {
    /// What the body of a question says.
    pub fn of(body: &JsonDocument<'_>) -> Result<Context, Problem> {
        match body.at(&["context"]) {
            JsonNode::Object => {}
            JsonNode::Absent => return Err(no_targeting_key()),
            JsonNode::Text(_) | JsonNode::Other => return Err(bad_context("The context is an object")),
        }
        let targeting_key = match body.at(&["context", "targetingKey"]) {
            JsonNode::Absent | JsonNode::Text("") => return Err(no_targeting_key()),
            JsonNode::Text(key) => key.to_owned(),
            JsonNode::Object | JsonNode::Other => return Err(bad_context("The targeting key is a text")),
        };
        let environment = match body.at(&["context", "environment"]) {
            JsonNode::Absent => None,
            JsonNode::Text(environment) => Some(environment.to_owned()),
            JsonNode::Object | JsonNode::Other => return Err(bad_context("The environment is a text")),
        };
        Ok(Context { targeting_key, environment })
    }
}

fn no_targeting_key() -> Problem {
    let detail = "The context has no targetingKey: it is the id or slug of the tenant";
    let path = "/context/targetingKey";
    Problem::invalid(path, "targeting_key_missing", detail).with_status(StatusCode::BAD_REQUEST)
}

/// 400, for a context of an evaluation that cannot be.
pub fn bad_context(detail: &'static str) -> Problem {
    Problem::invalid("/context", "invalid_context", detail).with_status(StatusCode::BAD_REQUEST)
}
