//! A ruleset, held for JavaScript.

use dezky_core::flags::Ruleset;
use dezky_core::host;
use napi::bindgen_prelude::ObjectFinalize;
use napi::{Env, JsString, Result};
use napi_derive::napi;

use crate::held::Held;
use crate::source::{Source, bytes, problems};

/// A snapshot, ready to answer.
#[napi(custom_finalize)]
pub struct Rules {
    held: Held<(Ruleset, String)>,
}

#[napi]
impl Rules {
    /// Reads and compiles a snapshot.
    #[napi(constructor)]
    pub fn new(env: Env, snapshot: Source<'_>) -> Result<Rules> {
        let document = bytes(snapshot);
        let ruleset = host::ruleset(&document).map_err(problems)?;
        Ok(Rules { held: Held::new(env, ruleset, &document)? })
    }

    /// `{ environment, digest, keys, revision }`
    #[napi(getter)]
    pub fn summary(&self) -> Result<String> {
        let (_, summary) = self.held.get()?;
        Ok(summary.clone())
    }

    /// Every flag for the subject of five lines, one bit each, a byte a character: Node makes a short text much faster than
    /// bytes. Nothing where the lines are malformed.
    #[napi]
    pub fn bits<'e>(&self, env: &'e Env, lines: String) -> Result<Option<JsString<'e>>> {
        let Some(subject) = host::subject(&lines) else { return Ok(None) };
        let evaluation = self.rules()?.evaluate_all(&subject);
        env.create_string_latin1(evaluation.as_bytes()).map(Some)
    }

    /// Why a flag is on or off for the subject of five lines.
    #[napi]
    pub fn explain(&self, lines: String, key: String) -> Result<Option<String>> {
        Ok(host::explain(self.rules()?, &lines, &key))
    }

    /// The fingerprint over a list of subjects.
    #[napi]
    pub fn fingerprint(&self, subjects: Source<'_>) -> Result<String> {
        host::fingerprint(self.rules()?, &bytes(subjects)).map_err(problems)
    }

    /// Gives the memory back now.
    #[napi]
    pub fn free(&mut self, env: Env) -> Result<()> {
        self.held.free(env)
    }

    fn rules(&self) -> Result<&Ruleset> {
        self.held.get().map(|(rules, _)| rules)
    }
}

impl ObjectFinalize for Rules {
    fn finalize(mut self, env: Env) -> Result<()> {
        self.held.free(env)
    }
}
