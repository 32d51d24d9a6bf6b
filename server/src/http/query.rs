//! The query of a request: only what is known, each once.

use axum::http::StatusCode;

use super::limits::{DEFAULT_PAGE, MAX_PAGE};
use super::problem::{Finding, Problem};

/// A parameter of a query.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it is for, for people.
    pub about: &'static str,
    /// What it looks like, as JSON Schema.
    pub schema: &'static str,
}

/// The parameters that were given.
#[derive(Debug, Clone, Default)]
pub struct Query(Vec<(&'static str, String)>);

impl Query {
    /// Reads a query; refuses what is not declared, and what is given twice.
    pub fn parse(text: &str, known: &'static [Parameter]) -> Result<Query, Problem> {
        let mut given: Vec<(&'static str, String)> = Vec::new();
        let mut findings = Vec::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            let finding = |code, detail| Finding { path: format!("?{name}"), code, detail };
            match known.iter().find(|parameter| parameter.name == name) {
                None => findings.push(finding("unknown_parameter", "This parameter is not known here")),
                Some(known) if given.iter().any(|(name, _)| *name == known.name) => {
                    findings.push(finding("repeated_parameter", "This parameter is given twice"));
                }
                Some(known) => given.push((known.name, value.into_owned())),
            }
        }
        if findings.is_empty() {
            return Ok(Query(given));
        }
        findings.truncate(dezky_core::limits::MAX_PROBLEMS);
        Err(Problem::of_findings(findings).with_status(StatusCode::BAD_REQUEST))
    }

    /// A parameter's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str())
    }

    /// A parameter's value, read.
    pub fn read<T>(
        &self,
        name: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.get(name) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| {
            Problem::invalid(
                format!("?{name}"),
                "invalid_parameter",
                "This parameter's value is not one of those possible",
            )
            .with_status(StatusCode::BAD_REQUEST)
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
            .0
            .iter()
            .filter(|(name, _)| !["cursor", "limit", "counts"].contains(name))
            .map(|(name, value)| format!("{name}={}:{value}", value.len()))
            .collect();
        parts.sort();
        format!("{caller}\n{path}\n{}", parts.join("\n"))
    }
}
