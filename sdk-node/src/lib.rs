//! The native engine of `@dezky/sdk-node`: takes documents as text or bytes, returns JSON text.
//! Contains no rules: every decision is made by `dezky-core`.

mod external;
mod rules;
mod source;
mod world;

use dezky_core::{AccessRequest, DocumentKind, Snapshot, SubjectDocument};
use napi::{Error, Result};
use napi_derive::napi;

use source::{Source, bytes, problems};

/// The crate's version. The JavaScript loads only an addon of its own version.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Decides `{ principal, action, resource? }` and returns `{ allowed, reason }`.
#[napi]
pub fn can(question: Source<'_>) -> Result<String> {
    let question = AccessRequest::from_json(&bytes(question)).map_err(problems)?;
    Ok(question.decide().to_json())
}

/// The position of a tenant in a flag's rollout, in hundredths.
#[napi]
pub fn rollout_position(tenant_id: String, key: String) -> u32 {
    dezky_core::rollout_position(&tenant_id, &key).into()
}

/// Converts a subject document to its five lines.
#[napi]
pub fn subject(document: Source<'_>) -> Result<String> {
    let document = SubjectDocument::from_json(&bytes(document)).map_err(problems)?;
    Ok(document.subject().to_lines())
}

/// Returns the keys of the flags that differ, one per line.
#[napi]
pub fn changed_keys(before: Source<'_>, after: Source<'_>) -> Result<String> {
    let before = Snapshot::from_json(&bytes(before)).map_err(problems)?;
    let after = Snapshot::from_json(&bytes(after)).map_err(problems)?;
    let keys: Vec<_> = before.changed_keys(&after).into_iter().map(|key| key.as_str()).collect();
    Ok(keys.join("\n"))
}

/// Returns a document in its normal form, defaults included; a snapshot in its canonical form.
#[napi]
pub fn validate(kind: String, document: Source<'_>) -> Result<String> {
    if kind == "snapshot" {
        return Snapshot::normalize(&bytes(document)).map_err(problems);
    }
    let kind = DocumentKind::parse(&kind).ok_or_else(|| Error::from_reason("unknown kind of document"))?;
    kind.normalize(&bytes(document)).map_err(problems)
}
