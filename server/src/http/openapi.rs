//! The OpenAPI document, made from the declared operations and the types that they take and give.

use axum::http::{Method, StatusCode};
use dezky_core::Action;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

use super::authorize::Bound;
use super::operation::{Body, BodyForm, Credential, Endpoint, Precondition, RefusalFormat};
use super::query::Parameter;

/// The document.
pub fn document(endpoints: &[Endpoint]) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let mut paths = Map::new();
    for endpoint in endpoints {
        let described = describe(endpoint, &mut generator);
        let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(endpoint.method.as_str().to_ascii_lowercase(), described);
        }
    }
    for (path, summary, content_type) in OPEN {
        paths.insert(path.to_owned(), open(path, summary, content_type));
    }
    let mut schemas = generator.take_definitions(true);
    schemas.insert("Problem".to_owned(), problem());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Dezky",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Tenants, partners, users, subscriptions and feature flags of a platform. Errors are RFC 9457 problems with a stable code. Writes name the version that they are for (If-Match). Every POST may carry an Idempotency-Key.",
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "description": "A person's access token, or a machine key." },
                "apiKey": { "type": "apiKey", "in": "header", "name": "X-API-Key", "description": "A machine key." },
            },
        },
        "security": [{ "bearer": [] }, { "apiKey": [] }],
    })
}

const OPEN: [(&str, &str, &str); 5] = [
    ("/healthz", "Whether the server runs", "application/json"),
    ("/readyz", "Whether the server can verify callers, and if not, why", "application/json"),
    ("/metrics", "What Prometheus reads", "text/plain"),
    ("/openapi.json", "This document", "application/json"),
    ("/docs", "This document, for people", "text/html"),
];

fn open(path: &str, summary: &str, content_type: &str) -> Value {
    let mut responses = Map::new();
    responses.insert("200".to_owned(), json!({ "description": "So it is", "content": { content_type: {} } }));
    if path == "/readyz" {
        responses.insert("503".to_owned(), refusal("not_ready"));
    }
    if path == "/metrics" {
        responses.insert("401".to_owned(), refusal("metrics_token_invalid"));
        responses.insert("403".to_owned(), refusal("metrics_closed"));
        responses.insert("404".to_owned(), refusal("not_found"));
    }
    json!({ "get": { "summary": summary, "security": [], "responses": responses } })
}

fn describe(endpoint: &Endpoint, generator: &mut SchemaGenerator) -> Value {
    let operation = &endpoint.operation;
    let mut described = json!({
        "operationId": operation_id(endpoint),
        "summary": operation.summary,
        "tags": [endpoint.path.split('/').nth(1).unwrap_or_default()],
        "x-action": endpoint.action.as_str(),
        "parameters": parameters(endpoint),
        "responses": responses(endpoint, generator),
    });
    if let Some(members) = described.as_object_mut().filter(|_| operation.credential == Credential::Link) {
        members.insert("security".to_owned(), json!([]));
    }
    if let (Some(body), Some(members)) = (&operation.body, described.as_object_mut()) {
        members.insert("requestBody".to_owned(), request_body(body, generator));
    }
    described
}

fn operation_id(endpoint: &Endpoint) -> String {
    let words = endpoint.path.split(['/', '{', '}', '.', '_']).filter(|word| !word.is_empty());
    let mut id = endpoint.method.as_str().to_ascii_lowercase();
    for word in words {
        let mut letters = word.chars();
        id.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        id.push_str(letters.as_str());
    }
    id
}

fn parameters(endpoint: &Endpoint) -> Vec<Value> {
    let in_path = endpoint.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = in_path.map(|name| {
        let schema = match name {
            "slug" => json!({ "type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$" }),
            "key" => json!({ "type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,63}$" }),
            _ => json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$" }),
        };
        json!({ "name": name, "in": "path", "required": true, "schema": schema })
    });
    let in_query = endpoint.operation.query.iter().map(|Parameter { name, description, schema }| {
        let schema: Value = serde_json::from_str(schema).unwrap_or_default();
        json!({ "name": name, "in": "query", "description": description, "schema": schema })
    });
    let mut parameters: Vec<Value> = in_path.chain(in_query).collect();
    if endpoint.operation.precondition == Precondition::IfMatch {
        parameters.push(json!({
            "name": "If-Match", "in": "header", "required": true, "schema": { "type": "string" },
            "description": "The entity tag that was read; * for whatever is there",
        }));
    }
    if endpoint.method == Method::POST {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
            "description": "A name for this request: sent again, it has no second effect and the same answer",
        }));
    }
    parameters
}

fn request_body(body: &Body, generator: &mut SchemaGenerator) -> Value {
    let mut schema = (body.schema)(generator).to_value();
    let properties =
        schema.get_mut("properties").and_then(Value::as_object_mut).map(std::mem::take).unwrap_or_default();
    let is_patch = body.form == BodyForm::MergePatch;
    let given = body.members.iter().map(|name| {
        let mut property = properties.get(*name).cloned().unwrap_or(Value::Bool(true));
        if let Some(property) = property.as_object_mut() {
            property.remove("readOnly");
        }
        let property = if is_patch { json!({ "anyOf": [property, { "type": "null" }] }) } else { property };
        ((*name).to_owned(), property)
    });
    let given: Map<String, Value> = given.collect();
    let is_open = body.form == BodyForm::Context;
    let schema = json!({
        "type": "object", "properties": given, "required": body.required, "additionalProperties": is_open,
    });
    let mut content = Map::new();
    if is_patch {
        content.insert("application/merge-patch+json".to_owned(), json!({ "schema": schema }));
    }
    content.insert("application/json".to_owned(), json!({ "schema": schema }));
    json!({ "required": true, "content": content })
}

fn responses(endpoint: &Endpoint, generator: &mut SchemaGenerator) -> Value {
    let operation = &endpoint.operation;
    let mut responses = Map::new();
    let content = (operation.returns)(generator);
    let success = match content {
        Some(schema) => json!({
            "description": "Done",
            "headers": { "ETag": { "schema": { "type": "string" } } },
            "content": { operation.media: { "schema": schema } },
        }),
        None => json!({ "description": "Done" }),
    };
    responses.insert(operation.success.as_u16().to_string(), success);
    if endpoint.method == Method::GET || operation.refusals == RefusalFormat::Ofrep {
        responses.insert("304".to_owned(), json!({ "description": "The reader has it already" }));
    }
    for (status, about) in refusals(endpoint) {
        let described = match operation.refusals {
            RefusalFormat::Problem => refusal(about),
            RefusalFormat::Ofrep => ofrep_refusal(about),
        };
        responses.insert(status.as_u16().to_string(), described);
    }
    Value::Object(responses)
}

fn refusals(endpoint: &Endpoint) -> Vec<(StatusCode, &'static str)> {
    let operation = &endpoint.operation;
    let is_write = endpoint.method != Method::GET;
    let is_about_something = endpoint.path.contains('{') || endpoint.bound != Bound::Nothing;
    let mut refusals = vec![
        (StatusCode::BAD_REQUEST, "The request cannot be read"),
        (StatusCode::UNAUTHORIZED, "There is no valid access token or machine key"),
        (StatusCode::URI_TOO_LONG, "Path and query are too long"),
        (StatusCode::TOO_MANY_REQUESTS, "Too many requests"),
        (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers are too large"),
        (StatusCode::SERVICE_UNAVAILABLE, "Not now"),
        (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong here"),
        (StatusCode::FORBIDDEN, "The caller may not do this"),
        (StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
        (StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time"),
        (StatusCode::UNPROCESSABLE_ENTITY, "A value is wrong: errors say which"),
    ];
    if is_about_something {
        refusals.push((StatusCode::NOT_FOUND, "There is nothing here, or nothing that the caller may see"));
    }
    if operation.body.is_some() {
        refusals.push((StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is not JSON"));
    }
    if is_write || matches!(endpoint.action, Action::PartnerList | Action::PartnerRead | Action::UserMe) {
        refusals.push((StatusCode::CONFLICT, "Something stands in the way"));
    }
    if operation.precondition == Precondition::IfMatch {
        refusals.push((StatusCode::PRECONDITION_FAILED, "It has changed since it was read"));
        refusals.push((StatusCode::PRECONDITION_REQUIRED, "If-Match is missing"));
    }
    refusals
}

fn refusal(about: &str) -> Value {
    let schema = json!({ "$ref": "#/components/schemas/Problem" });
    json!({ "description": about, "content": { "application/problem+json": { "schema": schema } } })
}

/// In OFREP's words, or, where it is not about the evaluation, in ours.
fn ofrep_refusal(about: &str) -> Value {
    let mut described = refusal(about);
    let text = json!({ "type": "string" });
    let schema = json!({
        "type": "object",
        "required": ["errorDetails"],
        "properties": { "key": text, "errorCode": text, "errorDetails": text },
    });
    if let Some(content) = described.get_mut("content").and_then(Value::as_object_mut) {
        content.insert("application/json".to_owned(), json!({ "schema": schema }));
    }
    described
}

fn problem() -> Value {
    let text = json!({ "type": "string" });
    json!({
        "type": "object",
        "description": "Why not (RFC 9457).",
        "required": ["type", "title", "status", "code", "detail", "errors", "requestId"],
        "properties": {
            "type": text, "title": text, "detail": text,
            "status": { "type": "integer" },
            "code": { "type": "string", "description": "Stable." },
            "requestId": { "type": "string", "description": "As in the server's log and in x-request-id." },
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["path", "code", "detail"],
                    "properties": {
                        "path": { "type": "string", "description": "A JSON Pointer into the body, ?name for a parameter, or a header's name." },
                        "code": text, "detail": text,
                    },
                },
            },
            "plan": { "description": "The plan as it would be now, where the promised one no longer holds." },
        },
    })
}
