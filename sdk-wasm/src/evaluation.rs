//! Flags and access: the module that a portal loads.

use alloc::vec;

use dezky_core::flags::{Ruleset, rollout_position};
use dezky_core::host;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::buffers::{Buffers, text};
use crate::slots::Slots;

/// Every ruleset of a page, by number.
#[wasm_bindgen]
#[derive(Default)]
pub struct Evaluation {
    buffers: Buffers,
    rulesets: Slots<Ruleset>,
}

#[wasm_bindgen]
impl Evaluation {
    /// No rulesets yet.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Evaluation {
        Evaluation::default()
    }

    /// Where the host writes so many bytes.
    pub fn input(&mut self, length: usize) -> usize {
        self.buffers.make_room(length)
    }

    /// Where the answer stands.
    pub fn output(&mut self) -> usize {
        self.buffers.output.as_ptr() as usize
    }

    /// How long the answer is.
    pub fn length(&mut self) -> usize {
        self.buffers.output.len()
    }

    /// Takes a snapshot, answers its summary, and gives the ruleset's number.
    pub fn ruleset(&mut self) -> usize {
        let (summary, ruleset) = match host::ruleset(&core::mem::take(&mut self.buffers.input)) {
            Ok((ruleset, summary)) => (Ok(summary), Some(ruleset)),
            Err(error) => (Err(error), None),
        };
        self.buffers.answer(summary);
        self.rulesets.keep(ruleset)
    }

    /// Forgets a ruleset.
    pub fn free_ruleset(&mut self, number: usize) {
        self.rulesets.drop(number);
    }

    /// Takes a subject's lines, answers one bit a flag for so many bytes. False where they are not a subject.
    pub fn evaluate(&mut self, number: usize, bytes: usize) -> bool {
        let Buffers { input, output } = &mut self.buffers;
        let subject = host::subject(text(input));
        let Some((subject, rules)) = subject.zip(self.rulesets.get(number)) else { return false };
        *output = vec![0; bytes];
        host::evaluate(rules, &subject, output);
        true
    }

    /// Takes a subject's lines, so many bytes, and a key; answers the explanation.
    pub fn explain(&mut self, number: usize, split: usize) {
        let (lines, key) = self.buffers.texts(split);
        let explanation = self.rulesets.get(number).and_then(|rules| host::explain(rules, lines, key));
        self.buffers.answer(Ok(explanation.unwrap_or_default()));
    }

    /// Takes a list of subjects, answers their fingerprint.
    pub fn fingerprint(&mut self, number: usize) {
        if let Some(rules) = self.rulesets.get(number) {
            let fingerprint = host::fingerprint(rules, &self.buffers.input);
            self.buffers.answer(fingerprint);
        }
    }

    /// Takes a subject, answers its lines.
    pub fn subject(&mut self) {
        self.buffers.answer(host::subject_lines(&self.buffers.input));
    }

    /// Takes a question about access, answers the decision.
    pub fn can(&mut self) {
        let decision = host::decide(&self.buffers.input);
        self.buffers.answer(decision);
    }

    /// Takes a tenant's id, so many bytes, and a key; gives the position in hundredths.
    pub fn position(&mut self, split: usize) -> u16 {
        let (tenant_id, key) = self.buffers.texts(split);
        rollout_position(tenant_id, key)
    }

    /// Takes two snapshots, the first so many bytes long; answers the keys that changed, a line each.
    pub fn changed_keys(&mut self, split: usize) {
        let (before, after) = self.buffers.input.split_at_checked(split).unwrap_or_default();
        let keys = host::changed_keys(before, after);
        self.buffers.answer(keys);
    }
}
