//! The protocol between core and the languages that embed it: documents in, strings and bits out.
//!
//! A host crosses into Rust once per tenant. It sends a subject as five lines of text and receives
//! one bit per flag. Everything else crosses as JSON. The bindings for Node, WASM and Python call
//! these functions and nothing else of core's internals.

use alloc::string::String;

use serde::Serialize;

use crate::Error;
use crate::access::AccessRequest;
use crate::flags::{Axis, Ruleset, Snapshot, Subject, read_subjects, subject_lines_of};
use crate::json::Document;
use crate::limits::{MAX_DOCUMENT_BYTES, MAX_WORLD_BYTES};
use crate::model::DocumentKind;
use crate::names::Digest;
use crate::text::{push_char, push_member, push_whole};
use crate::world::{Edit, World};

/// Compiles a snapshot document. The string is its summary, as JSON:
/// `{ environment, digest, keys, revision }`.
pub fn ruleset(snapshot: &[u8]) -> Result<(Ruleset, String), Error> {
    let snapshot = Snapshot::from_json(snapshot)?;
    let mut summary = String::from("{");
    push_member(&mut summary, "environment", snapshot.environment().as_str());
    push_member(&mut summary, "digest", snapshot.digest().as_str());
    summary.push_str(",\"keys\":[");
    for (index, rule) in snapshot.flags().iter().enumerate() {
        summary.push_str(if index == 0 { "\"" } else { ",\"" });
        summary.push_str(rule.key.as_str());
        push_char(&mut summary, '"');
    }
    summary.push_str("],\"revision\":");
    push_whole(&mut summary, snapshot.revision());
    push_char(&mut summary, '}');
    Ok((Ruleset::new(snapshot), summary))
}

/// Reads a world document. The string is its summary, as JSON:
/// `{ environment, revision, registered }`.
pub fn world(document: &[u8]) -> Result<(World, String), Error> {
    let world = World::from_json(document)?;
    let mut summary = String::from("{");
    push_member(&mut summary, "environment", world.environment().as_str());
    summary.push_str(",\"revision\":");
    push_whole(&mut summary, world.revision());
    summary.push_str(",\"registered\":");
    push_whole(&mut summary, world.registered() as u64);
    push_char(&mut summary, '}');
    Ok((world, summary))
}

/// Reads a subject document and returns its lines: id, slug, plan, partner slug and environment.
/// An absent value is an empty line.
pub fn subject_lines(document: &[u8]) -> Result<String, Error> {
    let document = Document::read(document, MAX_DOCUMENT_BYTES);
    let lines = subject_lines_of(&document);
    document.finish().map(|()| lines)
}

/// Returns the lines of a subject, in the form of [`subject_lines`].
pub fn to_lines(subject: &Subject<'_>) -> String {
    let mut lines = String::from(subject.tenant_id());
    for axis in [Axis::TenantSlugs, Axis::Plans, Axis::PartnerSlugs, Axis::Environments] {
        push_char(&mut lines, '\n');
        lines.push_str(subject.value(axis).unwrap_or_default());
    }
    lines
}

/// Reads the lines of a subject. Returns `None` if a line is missing or a name is malformed.
pub fn subject(lines: &str) -> Option<Subject<'_>> {
    Subject::from_lines(lines)
}

/// Evaluates every flag into `bits`: flag `i`, in the order of [`Ruleset::keys`], is bit `i % 8` of
/// byte `i / 8`. Flags beyond the end of `bits` are omitted.
pub fn evaluate(rules: &Ruleset, subject: &Subject<'_>, bits: &mut [u8]) {
    rules.evaluate_bits(subject, bits);
}

/// Explains one flag, as JSON. Returns `None` if the lines are not a subject.
pub fn explain(rules: &Ruleset, lines: &str, key: &str) -> Option<String> {
    Some(rules.explain(key, &subject(lines)?).to_json())
}

/// Computes the fingerprint over a JSON list of subjects. Paths of errors begin with the index in
/// the list.
pub fn fingerprint(rules: &Ruleset, subjects: &[u8]) -> Result<String, Error> {
    let document = Document::read(subjects, MAX_WORLD_BYTES);
    let subjects = read_subjects(&document)?;
    Ok(rules.fingerprint(&subjects).into_string())
}

/// Decides an access request, `{ principal, action, resource? }`, and returns the decision as JSON.
pub fn decide(request: &[u8]) -> Result<String, Error> {
    AccessRequest::decide_document(request).map(|decision| decision.to_json())
}

/// Returns the keys of the flags that differ between two snapshot documents, one line each.
pub fn changed_keys(before: &[u8], after: &[u8]) -> Result<String, Error> {
    let (before, after) = (Snapshot::from_json(before)?, Snapshot::from_json(after)?);
    let mut lines = String::new();
    for key in after.changed_keys(&before) {
        lines.push_str(key.as_str());
        push_char(&mut lines, '\n');
    }
    Ok(lines)
}

/// Plans an edit against a world and returns the plan as JSON.
pub fn plan(world: &World, edit: &[u8]) -> Result<String, Error> {
    Ok(to_json(&world.plan(&Edit::from_json(edit)?)?))
}

/// Returns the ladder of a flag as JSON.
pub fn ladder(world: &World, key: &str) -> Result<String, Error> {
    Ok(to_json(&world.ladder(key)?))
}

/// Returns the counts of a flag as JSON.
pub fn counts(world: &World, key: &str) -> Result<String, Error> {
    Ok(to_json(&world.counts(key)?))
}

/// Returns the fingerprint of a world over every registered tenant.
pub fn world_fingerprint(world: &World) -> String {
    Digest::into_string(world.fingerprint())
}

/// Validates a document and returns its normal form. Returns `None` if `kind` is unknown.
pub fn normalize(kind: &str, document: &[u8]) -> Option<Result<String, Error>> {
    if kind == "snapshot" {
        return Some(Snapshot::normalize(document));
    }
    DocumentKind::parse(kind).map(|kind| kind.normalize(document))
}

/// Serializing core's own results to a string cannot fail: their keys are strings.
fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
