//! The query of a request: only what is known, each once.

use axum::http::StatusCode;
use serde_json::Value;

use super::limits::{DEFAULT_PAGE, MAX_PAGE};
use super::problem::{Finding, Problem};

/// A parameter of a query.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it is for, for people.
    pub description: &'static str,
    /// What it looks like, as JSON Schema.
    pub schema: &'static str,
}

impl Parameter {
    /// What values it takes, for whoever gave another one: derived from its schema.
    fn expected(&self) -> String {
        let schema: Value = serde_json::from_str(self.schema).unwrap_or_default();
        let number = |name: &str| schema.get(name).and_then(Value::as_u64);
        let text = |name: &str| schema.get(name).and_then(Value::as_str);
        let Parameter { name, description, .. } = self;
        if let Some(words) = schema.get("enum").and_then(Value::as_array) {
            let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            return format!("{name} is one of {}", words.join(", "));
        }
        match (text("type"), number("minimum"), number("maximum")) {
            (Some("integer"), Some(least), Some(most)) => {
                return format!("{name} is a whole number from {least} to {most}");
            }
            _ if text("format") == Some("date-time") => {
                return format!("{name} is a time in RFC 3339, such as 2026-03-01T12:00:00Z");
            }
            _ => {}
        }
        match (number("minLength"), number("maxLength"), text("pattern")) {
            (_, _, Some(pattern)) => format!("{name} is a text of the form {pattern} ({description})"),
            (Some(least), Some(most), _) => format!("{name} is a text of {least} to {most} characters"),
            _ => format!("{name} is a text that is not empty ({description})"),
        }
    }
}

/// The parameters that were given.
#[derive(Debug, Clone, Default)]
pub struct Query {
    given: Vec<(&'static str, String)>,
    known: &'static [Parameter],
}

impl Query {
    /// Reads a query; refuses what is not declared, and what is given twice.
    pub fn parse(text: &str, known: &'static [Parameter]) -> Result<Query, Problem> {
        let mut given: Vec<(&'static str, String)> = Vec::new();
        let mut findings = Vec::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            let finding =
                |code, detail: String| Finding { path: format!("?{name}"), code, detail: detail.into() };
            match known.iter().find(|parameter| parameter.name == name) {
                None => findings.push(finding("unknown_parameter", known_names(known))),
                Some(known) if given.iter().any(|(name, _)| *name == known.name) => {
                    let detail = format!("{} is given twice", known.name);
                    findings.push(finding("repeated_parameter", detail));
                }
                Some(known) => given.push((known.name, value.into_owned())),
            }
        }
        if findings.is_empty() {
            return Ok(Query { given, known });
        }
        findings.truncate(dezky_core::limits::MAX_PROBLEMS);
        Err(Problem::of_findings(findings).with_status(StatusCode::BAD_REQUEST))
    }

    /// A parameter's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.given.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str())
    }

    /// A parameter's value, read.
    pub fn read<T>(
        &self,
        name: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.get(name) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| {
            let parameter = self.known.iter().find(|parameter| parameter.name == name);
            let detail = parameter.map_or_else(|| format!("{name} has another form"), Parameter::expected);
            let finding =
                Finding { path: format!("?{name}"), code: "invalid_parameter", detail: detail.into() };
            Problem::of_findings(vec![finding]).with_status(StatusCode::BAD_REQUEST)
        })
    }

    /// Whether a parameter is `true`.
    pub fn is_set(&self, name: &'static str) -> Result<bool, Problem> {
        let read = |value: &str| match value {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        };
        Ok(self.read(name, read)?.unwrap_or(false))
    }

    /// How many items a page has.
    pub fn limit(&self) -> Result<usize, Problem> {
        let read = |value: &str| value.parse().ok().filter(|limit| (1..=MAX_PAGE).contains(limit));
        Ok(self.read("limit", read)?.unwrap_or(DEFAULT_PAGE))
    }

    /// The question that a cursor belongs to: everything but the cursor itself and the size of the page.
    pub fn question(&self, path: &str, caller: &str) -> String {
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

fn known_names(known: &[Parameter]) -> String {
    let names: Vec<&str> = known.iter().map(|parameter| parameter.name).collect();
    match names.is_empty() {
        true => "This takes no parameters".to_owned(),
        false => format!("This parameter is not known here; known are {}", names.join(", ")),
    }
}
