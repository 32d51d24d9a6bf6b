//! The served OpenAPI document, and whether an answer keeps to it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use jsonschema::Validator;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// The document, and its schemas, compiled when first needed.
pub struct Contract {
    document: Value,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

static CONTRACT: OnceCell<Contract> = OnceCell::const_new();

/// What is said of one answer.
pub struct Said<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub status: u16,
    pub content_type: &'a str,
    pub body: &'a [u8],
}

impl Contract {
    /// The document as a server serves it.
    pub async fn of(url: &str) -> &'static Contract {
        CONTRACT
            .get_or_init(|| async {
                let client = reqwest::Client::builder().no_proxy().build().unwrap();
                let text = client.get(format!("{url}/openapi.json")).send().await.unwrap().text().await;
                let document = serde_json::from_str(&text.unwrap()).unwrap();
                Contract { document, validators: Mutex::default() }
            })
            .await
    }

    /// Fails where the answer is not one that the document lets expect.
    pub fn check(&self, said: &Said<'_>) {
        let Said { method, path, status, content_type, body } = *said;
        let what = format!("{method} {path} → {status}");
        // A HEAD is a GET without its body.
        let asked = if method == "HEAD" { "get" } else { &method.to_ascii_lowercase() };
        let template = self.template(path);
        let operation = template.and_then(|template| self.document["paths"][template].get(asked));
        let Some(operation) = operation else {
            assert!(matches!(status, 404 | 405), "{what}: not in the document, and answered");
            assert_eq!(content_type, "application/problem+json", "{what}");
            return self.validate("problem", &what, &self.problem_schema(), body);
        };
        let template = template.unwrap_or_default();
        let response = operation["responses"].get(status.to_string());
        let response = response.unwrap_or_else(|| panic!("{what}: a status that {template} does not have"));
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        if status >= 400 {
            // OFREP's clients read a refusal of an evaluation in their own words.
            let is_ofrep = template.starts_with("/ofrep/v1/evaluate/") && matches!(status, 400 | 404 | 500);
            let expected = if is_ofrep { "application/json" } else { "application/problem+json" };
            assert_eq!(media_type, expected, "{what}");
        }
        if method == "HEAD" {
            return;
        }
        let Some(content) = response.get("content").filter(|_| status != 304) else {
            return assert!(body.is_empty(), "{what}: a body that the document does not have");
        };
        let content = content.get(media_type);
        let content = content.unwrap_or_else(|| panic!("{what}: {media_type} is not what {template} gives"));
        let Some(schema) = content.get("schema").filter(|_| media_type.ends_with("json")) else { return };
        let name = format!("{asked} {template} {status} {media_type}");
        match media_type {
            // A document each.
            "application/x-ndjson" => {
                let lines = body.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
                lines.for_each(|line| self.validate(&name, &what, schema, line));
            }
            _ => self.validate(&name, &what, schema, body),
        }
    }

    /// The path as the document has it; a fixed one before one with parts that vary.
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

    fn problem_schema(&self) -> Value {
        json!({ "$ref": "#/components/schemas/Problem" })
    }

    fn validate(&self, name: &str, what: &str, schema: &Value, body: &[u8]) {
        let validator = {
            let mut validators = self.validators.lock().unwrap();
            let made = validators.entry(name.to_owned()).or_insert_with(|| Arc::new(self.validator(schema)));
            Arc::clone(made)
        };
        let value: Value = serde_json::from_slice(body)
            .unwrap_or_else(|error| panic!("{what}: {error}: {}", String::from_utf8_lossy(body)));
        let wrong: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{what}: the body breaks its schema: {wrong:?}\n{value:#}");
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
