//! The JavaScript class over a ruleset.

use dezky_core::{Ruleset, Snapshot, Subject};
use napi::bindgen_prelude::ObjectFinalize;
use napi::{Env, JsString, Result};
use napi_derive::napi;

use crate::external::External;
use crate::source::{Source, bytes, problems};

/// A compiled snapshot with its summary.
#[napi(custom_finalize)]
pub struct Rules {
    ruleset: External<(Ruleset, String)>,
}

#[napi]
impl Rules {
    /// Reads and compiles a snapshot.
    #[napi(constructor)]
    pub fn new(env: Env, snapshot: Source<'_>) -> Result<Rules> {
        let document = bytes(snapshot);
        let snapshot = Snapshot::from_json(&document).map_err(problems)?;
        let summary = snapshot.to_summary_json();
        Ok(Rules { ruleset: External::new(env, (Ruleset::new(snapshot), summary), &document)? })
    }

    /// The JSON text `{ environment, digest, keys, revision }`.
    #[napi(getter)]
    pub fn summary(&self) -> Result<String> {
        let (_, summary) = self.ruleset.get()?;
        Ok(summary.clone())
    }

    /// Evaluates every flag for a subject given as five lines. Returns one bit per flag, packed
    /// into a Latin-1 string of one character per byte, because Node creates short strings much
    /// faster than byte arrays. Returns null if the lines are malformed.
    #[napi]
    pub fn bits<'e>(&self, env: &'e Env, lines: String) -> Result<Option<JsString<'e>>> {
        let Some(subject) = Subject::from_lines(&lines) else { return Ok(None) };
        let evaluation = self.rules()?.evaluate_all(&subject);
        env.create_string_latin1(evaluation.as_bytes()).map(Some)
    }

    /// Explains a flag for a subject given as five lines.
    #[napi]
    pub fn explain(&self, lines: String, key: String) -> Result<Option<String>> {
        let rules = self.rules()?;
        Ok(Subject::from_lines(&lines).map(|subject| rules.explain(&key, &subject).to_json()))
    }

    /// Returns the fingerprint over a list of subjects.
    #[napi]
    pub fn fingerprint(&self, subjects: Source<'_>) -> Result<String> {
        let fingerprint = self.rules()?.fingerprint_json(&bytes(subjects)).map_err(problems)?;
        Ok(fingerprint.to_string())
    }

    /// Frees the memory immediately.
    #[napi]
    pub fn free(&mut self, env: Env) -> Result<()> {
        self.ruleset.free(env)
    }

    fn rules(&self) -> Result<&Ruleset> {
        self.ruleset.get().map(|(rules, _)| rules)
    }
}

impl ObjectFinalize for Rules {
    fn finalize(mut self, env: Env) -> Result<()> {
        self.ruleset.free(env)
    }
}
