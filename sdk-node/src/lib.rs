//! The native engine of `@dezky/sdk-node`: documents in as text or bytes, answers out as JSON text. No rule lives here.

mod held;
mod rules;
mod source;
mod world;

use dezky_core::host;
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
    host::decide(&bytes(question)).map_err(problems)
}

/// Whole hundredths.
#[napi]
pub fn rollout_position(tenant_id: String, key: String) -> u32 {
    dezky_core::flags::rollout_position(&tenant_id, &key).into()
}

/// A subject document as its five lines.
#[napi]
pub fn subject(document: Source<'_>) -> Result<String> {
    host::subject_lines(&bytes(document)).map_err(problems)
}

/// The keys of the flags that differ, a line each.
#[napi]
pub fn changed_keys(before: Source<'_>, after: Source<'_>) -> Result<String> {
    host::changed_keys(&bytes(before), &bytes(after)).map_err(problems)
}

/// A document of a kind, written back with its defaults filled in; a snapshot in its canonical form.
#[napi]
pub fn validate(kind: String, document: Source<'_>) -> Result<String> {
    let normal = host::normalize(&kind, &bytes(document));
    normal.ok_or_else(|| Error::from_reason("unknown kind of document"))?.map_err(problems)
}
