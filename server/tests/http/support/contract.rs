//! The served OpenAPI document, and the check of an answer against it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use jsonschema::Validator;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::plain_client;

/// The OpenAPI document, with a cache of compiled schemas.
pub struct Contract {
    document: Value,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

static CONTRACT: OnceCell<Contract> = OnceCell::const_new();

/// A request and its answer, as far as the document describes them.
pub struct Exchange<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub status: u16,
    pub content_type: &'a str,
    pub body: &'a [u8],
}

impl Contract {
    /// Fetches the document from the first server that a test starts, once per process.
    pub async fn fetch(url: &str) -> &'static Contract {
        CONTRACT
            .get_or_init(|| async {
                let text =
                    plain_client().get(format!("{url}/openapi.json")).send().await.unwrap().text().await;
                let document = serde_json::from_str(&text.unwrap()).unwrap();
                Contract { document, validators: Mutex::default() }
            })
            .await
    }

    /// Panics if the document does not allow the answer.
    pub fn check(&self, exchange: &Exchange<'_>) {
        let Exchange { method, path, status, content_type, body } = *exchange;
        let what = format!("{method} {path} → {status}");
        // A HEAD is a GET without its body.
        let documented = if method == "HEAD" { "get" } else { &method.to_ascii_lowercase() };
        let template = self.template(path);
        let operation = template.and_then(|template| self.document["paths"][template].get(documented));
        let (Some(template), Some(operation)) = (template, operation) else {
            assert!(matches!(status, 404 | 405), "{what}: the document has no such operation");
            assert_eq!(content_type, "application/problem+json", "{what}");
            let problem = json!({ "$ref": "#/components/schemas/Problem" });
            return self.validate("problem", &what, &problem, body);
        };
        let response = operation["responses"].get(status.to_string());
        let response = response.unwrap_or_else(|| panic!("{what}: {template} does not document this status"));
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        if status >= 400 {
            assert_eq!(media_type, error_media_type(template, status), "{what}");
        }
        if method == "HEAD" {
            return;
        }
        let Some(content) = response.get("content").filter(|_| status != 304) else {
            return assert!(body.is_empty(), "{what}: the document has no body for this answer");
        };
        let content = content.get(media_type);
        let content = content.unwrap_or_else(|| panic!("{what}: {template} does not document {media_type}"));
        let Some(schema) = content.get("schema").filter(|_| media_type.ends_with("json")) else { return };
        let name = format!("{documented} {template} {status} {media_type}");
        match media_type {
            // Each line is a document.
            "application/x-ndjson" => {
                let lines = body.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
                lines.for_each(|line| self.validate(&name, &what, schema, line));
            }
            _ => self.validate(&name, &what, schema, body),
        }
    }

    /// The documented path that matches; a fixed path takes precedence over one with parameters.
    fn template(&self, path: &str) -> Option<&str> {
        let path = path.split('?').next().unwrap_or_default();
        let templates = self.document["paths"].as_object().unwrap();
        let fits = |template: &&String| {
            let (parts, given) = (template.split('/'), path.split('/'));
            parts.clone().count() == given.clone().count()
                && parts
                    .zip(given)
                    .all(|(part, given)| part == given || (part.starts_with('{') && !given.is_empty()))
        };
        templates.keys().filter(fits).min_by_key(|template| template.matches('{').count()).map(String::as_str)
    }

    fn validate(&self, name: &str, what: &str, schema: &Value, body: &[u8]) {
        let validator = {
            let mut validators = self.validators.lock().unwrap();
            let compiled =
                validators.entry(name.to_owned()).or_insert_with(|| Arc::new(self.validator(schema)));
            Arc::clone(compiled)
        };
        let value: Value = serde_json::from_slice(body)
            .unwrap_or_else(|error| panic!("{what}: {error}: {}", String::from_utf8_lossy(body)));
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{what}: the body violates its schema: {errors:?}\n{value:#}");
    }

    fn validator(&self, schema: &Value) -> Validator {
        let whole = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "allOf": [schema],
            "components": self.document["components"],
        });
        jsonschema::options().should_validate_formats(true).build(&whole).unwrap()
    }
}

/// OFREP clients read errors of an evaluation in OFREP's own format.
fn error_media_type(template: &str, status: u16) -> &'static str {
    let is_ofrep = template.starts_with("/ofrep/v1/evaluate/") && matches!(status, 400 | 404 | 500);
    if is_ofrep { "application/json" } else { "application/problem+json" }
}
