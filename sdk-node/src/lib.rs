//! The native engine of `@dezky/sdk-node`: takes documents as text or bytes, returns JSON text.
//! Contains no rules: every decision is made by `dezky-core`.

mod rules;
mod source;
mod tracked;
mod world;

use dezky_core::host;
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
pub fn can(request: Source<'_>) -> Result<String> {
    host::decide(&bytes(request)).map_err(problems)
}

/// The position of a tenant in a flag's rollout, in hundredths.
#[napi]
pub fn rollout_position(tenant_id: String, key: String) -> u32 {
    dezky_core::flags::rollout_position(&tenant_id, &key).into()
}

/// Converts a subject document to its five lines.
#[napi]
pub fn subject(document: Source<'_>) -> Result<String> {
    host::subject_lines(&bytes(document)).map_err(problems)
}

/// Returns the keys of the flags that differ, each followed by a line feed.
#[napi]
pub fn changed_keys(before: Source<'_>, after: Source<'_>) -> Result<String> {
    host::changed_keys(&bytes(before), &bytes(after)).map_err(problems)
}

/// Returns a document in its normal form, defaults included; a snapshot in its canonical form.
#[napi]
pub fn validate(kind: String, document: Source<'_>) -> Result<String> {
    let normal = host::normalize(&kind, &bytes(document));
    normal.ok_or_else(|| Error::from_reason("unknown kind of document"))?.map_err(problems)
}
