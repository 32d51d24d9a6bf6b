//! Query parameters: only declared ones are accepted, each at most once.

use axum::http::StatusCode;
use serde_json::Value;

use super::limits::{DEFAULT_PAGE, MAX_PAGE};
use super::problem::{Finding, Problem};

/// A declared query parameter.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// The name in the query string.
    pub name: &'static str,
    /// One sentence for the OpenAPI document.
    pub description: &'static str,
    /// The JSON Schema of the value.
    pub schema: &'static str,
}

impl Parameter {
    /// Describes the accepted values, derived from the schema, for an error detail.
    fn expected(&self) -> String {
        let schema: Value = serde_json::from_str(self.schema).unwrap_or_default();
        let number = |name: &str| schema.get(name).and_then(Value::as_u64);
        let text = |name: &str| schema.get(name).and_then(Value::as_str);
        let Parameter { name, description, .. } = self;
        if let Some(words) = schema.get("enum").and_then(Value::as_array) {
            let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            return format!("{name} must be one of {}", words.join(", "));
        }
        match (text("type"), number("minimum"), number("maximum")) {
            (Some("integer"), Some(least), Some(most)) => {
                return format!("{name} must be a whole number from {least} to {most}");
            }
            _ if text("format") == Some("date-time") => {
                return format!("{name} must be an RFC 3339 time such as 2026-03-01T12:00:00Z");
            }
            _ => {}
        }
        match (number("minLength"), number("maxLength"), text("pattern")) {
            (_, _, Some(pattern)) => format!("{name} must match {pattern} ({description})"),
            (Some(least), Some(most), _) => format!("{name} must have {least} to {most} characters"),
            _ => format!("{name} must not be empty ({description})"),
        }
    }
}

/// The parsed parameters of a request.
#[derive(Debug, Clone, Default)]
pub struct Query {
    given: Vec<(&'static str, String)>,
    declared: &'static [Parameter],
}

impl Query {
    /// Parses a query string. Rejects undeclared and repeated parameters.
    pub fn parse(text: &str, declared: &'static [Parameter]) -> Result<Query, Problem> {
        let mut given: Vec<(&'static str, String)> = Vec::new();
        let mut findings = Vec::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            let finding =
                |code, detail: String| Finding { path: format!("?{name}"), code, detail: detail.into() };
            match declared.iter().find(|parameter| parameter.name == name) {
                None => findings.push(finding("unknown_parameter", declared_names(declared))),
                Some(parameter) if given.iter().any(|(name, _)| *name == parameter.name) => {
                    let detail = format!("{} is repeated", parameter.name);
                    findings.push(finding("repeated_parameter", detail));
                }
                Some(parameter) => given.push((parameter.name, value.into_owned())),
            }
        }
        if findings.is_empty() {
            return Ok(Query { given, declared });
        }
        findings.truncate(dezky_core::limits::MAX_PROBLEMS);
        Err(Problem::from_findings(findings).with_status(StatusCode::BAD_REQUEST))
    }

    /// Returns the value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.given.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str())
    }

    /// Returns the parsed value of a parameter.
    pub fn read<T>(
        &self,
        name: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.get(name) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| {
            let parameter = self.declared.iter().find(|parameter| parameter.name == name);
            let detail = parameter.map_or_else(|| format!("{name} is invalid"), Parameter::expected);
            let finding =
                Finding { path: format!("?{name}"), code: "invalid_parameter", detail: detail.into() };
            Problem::from_findings(vec![finding]).with_status(StatusCode::BAD_REQUEST)
        })
    }

    /// Reports whether a boolean parameter is `true`.
    pub fn is_set(&self, name: &'static str) -> Result<bool, Problem> {
        let read = |value: &str| match value {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        };
        Ok(self.read(name, read)?.unwrap_or(false))
    }

    /// Returns the maximum number of items on a page.
    pub fn limit(&self) -> Result<usize, Problem> {
        let read = |value: &str| value.parse().ok().filter(|limit| (1..=MAX_PAGE).contains(limit));
        Ok(self.read("limit", read)?.unwrap_or(DEFAULT_PAGE))
    }

    /// Returns the request that a cursor belongs to: route, caller, filter and order, without the
    /// cursor and the page size.
    pub fn cursor_context(&self, path: &str, caller: &str) -> String {
        let mut parts: Vec<String> = self
            .given
            .iter()
            .filter(|(name, _)| !["cursor", "limit", "counts"].contains(name))
            .map(|(name, value)| format!("{name}={}:{value}", value.len()))
            .collect();
        parts.sort();
        format!("{caller}\n{path}\n{}", parts.join("\n"))
    }
}

fn declared_names(declared: &[Parameter]) -> String {
    let names: Vec<&str> = declared.iter().map(|parameter| parameter.name).collect();
    match names.is_empty() {
        true => "This operation takes no parameters".to_owned(),
        false => format!("The parameter is unknown; accepted are {}", names.join(", ")),
    }
}
