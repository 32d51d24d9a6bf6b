//! The OpenAPI document, built from the route table and the types of bodies and responses.

use axum::http::{Method, StatusCode};
use dezky_core::access::Action;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

use super::authorize::Bound;
use super::operation::{Body, BodyForm, CredentialPlace, Endpoint, Precondition, RefusalFormat};
use super::query::Parameter;

/// Builds the OpenAPI 3.1 document of these endpoints.
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
            "description": "The control plane of a platform: tenants, partners, users, subscriptions and flags. Errors \
                are RFC 9457 problems with a stable code. A write names the version that it changes \
                (If-Match). Every POST accepts an Idempotency-Key.",
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "description": "The access token of a person, or a machine key." },
                "apiKey": { "type": "apiKey", "in": "header", "name": "X-API-Key", "description": "A machine key." },
            },
        },
        "security": [{ "bearer": [] }, { "apiKey": [] }],
    })
}

const OPEN: [(&str, &str, &str); 5] = [
    ("/healthz", "Reports that the process runs", "application/json"),
    (
        "/readyz",
        "Reports whether the server can verify callers, with the reason if it cannot",
        "application/json",
    ),
    ("/metrics", "Returns the metrics in the text format of Prometheus", "text/plain"),
    ("/openapi.json", "Returns this document", "application/json"),
    ("/docs", "Returns this document as an HTML page", "text/html"),
];

fn open(path: &str, summary: &str, content_type: &str) -> Value {
    let mut responses = Map::new();
    responses.insert("200".to_owned(), json!({ "description": "Success", "content": { content_type: {} } }));
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
    if let Some(members) = described.as_object_mut().filter(|_| operation.credential == CredentialPlace::Link)
    {
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
            "description": "The entity tag of the version to change; * for any version",
        }));
    }
    if endpoint.method == Method::POST {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
            "description": "A name for this request: a repetition returns the same response and has no second effect",
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
            "description": "Success",
            "headers": { "ETag": { "schema": { "type": "string" } } },
            "content": { operation.media: { "schema": schema } },
        }),
        None => json!({ "description": "Success" }),
    };
    responses.insert(operation.success.as_u16().to_string(), success);
    if endpoint.method == Method::GET || operation.refusals == RefusalFormat::Ofrep {
        responses
            .insert("304".to_owned(), json!({ "description": "The client already has the current version" }));
    }
    for (status, description) in refusals(endpoint) {
        let described = match operation.refusals {
            RefusalFormat::Problem => refusal(description),
            RefusalFormat::Ofrep => ofrep_refusal(description),
        };
        responses.insert(status.as_u16().to_string(), described);
    }
    Value::Object(responses)
}

fn refusals(endpoint: &Endpoint) -> Vec<(StatusCode, &'static str)> {
    let operation = &endpoint.operation;
    let is_write = endpoint.method != Method::GET;
    let names_resource = endpoint.path.contains('{') || endpoint.bound != Bound::Nothing;
    let mut refusals = vec![
        (StatusCode::BAD_REQUEST, "The request is malformed"),
        (StatusCode::UNAUTHORIZED, "The request has no valid access token or machine key"),
        (StatusCode::URI_TOO_LONG, "Path and query exceed the length limit"),
        (StatusCode::TOO_MANY_REQUESTS, "Too many requests"),
        (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers exceed the size limit"),
        (StatusCode::SERVICE_UNAVAILABLE, "The server cannot answer now; retry later"),
        (StatusCode::INTERNAL_SERVER_ERROR, "An internal error occurred"),
        (StatusCode::FORBIDDEN, "The caller has no right to do this"),
        (StatusCode::PAYLOAD_TOO_LARGE, "The body exceeds the size limit"),
        (StatusCode::REQUEST_TIMEOUT, "The body did not arrive within the time limit"),
        (StatusCode::UNPROCESSABLE_ENTITY, "A value is invalid; errors lists each one"),
    ];
    if names_resource {
        refusals.push((StatusCode::NOT_FOUND, "The resource does not exist, or the caller may not see it"));
    }
    if operation.body.is_some() {
        refusals.push((StatusCode::UNSUPPORTED_MEDIA_TYPE, "The Content-Type is not JSON"));
    }
    if is_write || matches!(endpoint.action, Action::PartnerList | Action::PartnerRead | Action::UserMe) {
        refusals.push((StatusCode::CONFLICT, "The request conflicts with the current state"));
    }
    if operation.precondition == Precondition::IfMatch {
        refusals.push((StatusCode::PRECONDITION_FAILED, "The resource changed since it was read"));
        refusals.push((StatusCode::PRECONDITION_REQUIRED, "If-Match is missing"));
    }
    refusals
}

fn refusal(description: &str) -> Value {
    let schema = json!({ "$ref": "#/components/schemas/Problem" });
    json!({ "description": description, "content": { "application/problem+json": { "schema": schema } } })
}

/// Describes a refusal of an OFREP endpoint: OFREP errors for the evaluation, problems for the
/// rest.
fn ofrep_refusal(description: &str) -> Value {
    let mut described = refusal(description);
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
        "description": "A problem document (RFC 9457).",
        "required": ["type", "title", "status", "code", "detail", "errors", "requestId"],
        "properties": {
            "type": text, "title": text, "detail": text,
            "status": { "type": "integer" },
            "code": { "type": "string", "description": "A stable code of the problem." },
            "requestId": { "type": "string", "description": "The id in the server's log and in the x-request-id header." },
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["path", "code", "detail"],
                    "properties": {
                        "path": { "type": "string", "description": "A JSON Pointer into the body, ?name for a query parameter, or the name of a header." },
                        "code": text, "detail": text,
                    },
                },
            },
            "plan": { "description": "The current plan, if the promised plan no longer applies." },
        },
    })
}
