//! The JavaScript class over a ruleset.

use dezky_core::flags::Ruleset;
use dezky_core::host;
use napi::bindgen_prelude::ObjectFinalize;
use napi::{Env, JsString, Result};
use napi_derive::napi;

use crate::source::{Source, bytes, problems};
use crate::tracked::Tracked;

/// A compiled snapshot with its summary.
#[napi(custom_finalize)]
pub struct Rules {
    ruleset: Tracked<(Ruleset, String)>,
}

#[napi]
impl Rules {
    /// Reads and compiles a snapshot.
    #[napi(constructor)]
    pub fn new(env: Env, snapshot: Source<'_>) -> Result<Rules> {
        let document = bytes(snapshot);
        let ruleset = host::ruleset(&document).map_err(problems)?;
        Ok(Rules { ruleset: Tracked::new(env, ruleset, &document)? })
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
        let Some(subject) = host::subject(&lines) else { return Ok(None) };
        let evaluation = self.rules()?.evaluate_all(&subject);
        env.create_string_latin1(evaluation.as_bytes()).map(Some)
    }

    /// Explains a flag for a subject given as five lines.
    #[napi]
    pub fn explain(&self, lines: String, key: String) -> Result<Option<String>> {
        Ok(host::explain(self.rules()?, &lines, &key))
    }

    /// Returns the fingerprint over a list of subjects.
    #[napi]
    pub fn fingerprint(&self, subjects: Source<'_>) -> Result<String> {
        host::fingerprint(self.rules()?, &bytes(subjects)).map_err(problems)
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
