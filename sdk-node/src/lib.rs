//! The native engine of `@dezky/sdk-node`: documents in as text or bytes, answers out as JSON text. No rule lives here.

mod held;
mod rules;
mod source;
mod world;

use dezky_core::{AccessRequest, DocumentKind, Snapshot, SubjectDocument};
use napi::{Error, Result};
use napi_derive::napi;

use source::{Source, bytes, problems};

/// The crate's version, which must be that of the JavaScript that loads it.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// `{ principal, action, resource? }` to `{ allowed, reason }`.
#[napi]
pub fn can(question: Source<'_>) -> Result<String> {
    let question = AccessRequest::from_json(&bytes(question)).map_err(problems)?;
    Ok(question.decide().to_json())
}

/// Whole hundredths.
#[napi]
pub fn rollout_position(tenant_id: String, key: String) -> u32 {
    dezky_core::rollout_position(&tenant_id, &key).into()
}

/// A subject document as its five lines.
#[napi]
pub fn subject(document: Source<'_>) -> Result<String> {
    let document = SubjectDocument::from_json(&bytes(document)).map_err(problems)?;
    Ok(document.subject().to_lines())
}

/// The keys of the flags that differ, a line each.
#[napi]
pub fn changed_keys(before: Source<'_>, after: Source<'_>) -> Result<String> {
    let before = Snapshot::from_json(&bytes(before)).map_err(problems)?;
    let after = Snapshot::from_json(&bytes(after)).map_err(problems)?;
    let keys: Vec<_> = before.changed_keys(&after).into_iter().map(|key| key.as_str()).collect();
    Ok(keys.join("\n"))
}

/// A document of a kind, written back with its defaults filled in; a snapshot in its canonical form.
#[napi]
pub fn validate(kind: String, document: Source<'_>) -> Result<String> {
    if kind == "snapshot" {
        return Snapshot::normalize(&bytes(document)).map_err(problems);
    }
    let kind = DocumentKind::parse(&kind).ok_or_else(|| Error::from_reason("no document is of this kind"))?;
    kind.normalize(&bytes(document)).map_err(problems)
}
