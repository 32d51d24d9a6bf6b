//! The context of an evaluation, as the clients of OpenFeature send it: whose flags are asked for.

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::limits::MAX_BODY_BYTES;
use super::problem::Problem;

/// What of a context counts. Whatever else an application knows of its user is its own.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Context {
    /// The id or slug of a tenant.
    pub targeting_key: String,
    /// The environment, where one is named.
    pub environment: Option<String>,
}

#[derive(Deserialize)]
struct Asked {
    context: Context,
}

impl Context {
    /// Reads the body of a question. One that is as it should be is taken in at once; of any other, core's reader finds out what is wrong.
    pub fn read(body: &[u8]) -> Result<Context, Problem> {
        match serde_json::from_slice(body) {
            Ok(Asked { context }) if !context.targeting_key.is_empty() => Ok(context),
            _ => Context::explained(body),
        }
    }

    fn explained(body: &[u8]) -> Result<Context, Problem> {
        let body = dezky_core::read_json(body, MAX_BODY_BYTES);
        let body = body.map_err(|error| Problem::from(error).with_status(StatusCode::BAD_REQUEST))?;
        let Value::Object(body) = body else {
            return Err(Problem::invalid("", "wrong_type", "The body is a JSON object"));
        };
        let context = match body.get("context") {
            None | Some(Value::Null) => None,
            Some(Value::Object(context)) => Some(context),
            Some(_) => return Err(bad_context("The context is an object")),
        };
        let member = |name| context.and_then(|context| context.get(name)).filter(|value| !value.is_null());
        let targeting_key = match member("targetingKey") {
            None => return Err(no_targeting_key()),
            Some(Value::String(key)) if key.is_empty() => return Err(no_targeting_key()),
            Some(Value::String(key)) => key.clone(),
            Some(_) => return Err(bad_context("The targeting key is a text")),
        };
        let environment = match member("environment") {
            None => None,
            Some(Value::String(environment)) => Some(environment.clone()),
            Some(_) => return Err(bad_context("The environment is a text")),
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
