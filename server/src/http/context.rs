//! The evaluation context that OpenFeature clients send.

use axum::http::StatusCode;
use dezky_core::json::{JsonDocument, JsonNode};

use super::problem::Problem;

/// The members of a context that evaluation uses; all others are ignored.
#[derive(Debug, Default)]
pub struct Context {
    /// The id or slug of the tenant to evaluate for.
    pub targeting_key: String,
    /// The environment, if the context names one.
    pub environment: Option<String>,
}

impl Context {
    /// Reads the context of a request body.
    pub fn from_document(body: &JsonDocument<'_>) -> Result<Context, Problem> {
        match body.at(&["context"]) {
            JsonNode::Object => {}
            JsonNode::Absent => return Err(no_targeting_key()),
            JsonNode::Text(_) | JsonNode::Other => {
                return Err(bad_context("The context must be an object"));
            }
        }
        let targeting_key = match body.at(&["context", "targetingKey"]) {
            JsonNode::Absent | JsonNode::Text("") => return Err(no_targeting_key()),
            JsonNode::Text(key) => key.to_owned(),
            JsonNode::Object | JsonNode::Other => {
                return Err(bad_context("The targeting key must be a string"));
            }
        };
        let environment = match body.at(&["context", "environment"]) {
            JsonNode::Absent => None,
            JsonNode::Text(environment) => Some(environment.to_owned()),
            JsonNode::Object | JsonNode::Other => {
                return Err(bad_context("The environment must be a string"));
            }
        };
        Ok(Context { targeting_key, environment })
    }
}

fn no_targeting_key() -> Problem {
    let detail = "The context needs a targetingKey, the id or slug of the tenant";
    let path = "/context/targetingKey";
    Problem::invalid(path, "targeting_key_missing", detail).with_status(StatusCode::BAD_REQUEST)
}

/// Returns 400 for an invalid evaluation context.
pub fn bad_context(detail: &'static str) -> Problem {
    Problem::invalid("/context", "invalid_context", detail).with_status(StatusCode::BAD_REQUEST)
}
