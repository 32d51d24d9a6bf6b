//! The module flags.wasm: flags and access, loaded by every page.

use alloc::vec;

use dezky_core::flags::{Ruleset, rollout_position};
use dezky_core::host;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::buffers::{Buffers, text};
use crate::slots::Slots;

/// The rulesets of a page, each addressed by a number.
#[wasm_bindgen]
#[derive(Default)]
pub struct Evaluation {
    buffers: Buffers,
    rulesets: Slots<Ruleset>,
}

#[wasm_bindgen]
impl Evaluation {
    /// Creates an instance without rulesets.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Evaluation {
        Evaluation::default()
    }

    /// Allocates an input buffer of `length` bytes and returns its address.
    pub fn input(&mut self, length: usize) -> usize {
        self.buffers.make_room(length)
    }

    /// The address of the output buffer.
    pub fn output(&mut self) -> usize {
        self.buffers.output.as_ptr() as usize
    }

    /// The length of the output in bytes.
    pub fn length(&mut self) -> usize {
        self.buffers.output.len()
    }

    /// Compiles the snapshot in the input, outputs its summary, and returns the ruleset's number.
    pub fn ruleset(&mut self) -> usize {
        let (summary, ruleset) = match host::ruleset(&core::mem::take(&mut self.buffers.input)) {
            Ok((ruleset, summary)) => (Ok(summary), Some(ruleset)),
            Err(error) => (Err(error), None),
        };
        self.buffers.answer(summary);
        self.rulesets.insert(ruleset)
    }

    /// Frees a ruleset, so that its number can be reused.
    pub fn free_ruleset(&mut self, number: usize) {
        self.rulesets.remove(number);
    }

    /// Evaluates every flag for the subject lines in the input, and outputs one bit per flag in
    /// `bytes` bytes. Returns false if the lines are not a subject.
    pub fn evaluate(&mut self, number: usize, bytes: usize) -> bool {
        let Buffers { input, output } = &mut self.buffers;
        let subject = host::subject(text(input));
        let Some((subject, rules)) = subject.zip(self.rulesets.get(number)) else { return false };
        *output = vec![0; bytes];
        host::evaluate(rules, &subject, output);
        true
    }

    /// Outputs the explanation for the subject lines (`split` bytes) and the key in the input.
    pub fn explain(&mut self, number: usize, split: usize) {
        let (lines, key) = self.buffers.strings(split);
        let explanation = self.rulesets.get(number).and_then(|rules| host::explain(rules, lines, key));
        self.buffers.answer(Ok(explanation.unwrap_or_default()));
    }

    /// Outputs the fingerprint over the list of subjects in the input.
    pub fn fingerprint(&mut self, number: usize) {
        if let Some(rules) = self.rulesets.get(number) {
            let fingerprint = host::fingerprint(rules, &self.buffers.input);
            self.buffers.answer(fingerprint);
        }
    }

    /// Outputs the lines of the subject document in the input.
    pub fn subject(&mut self) {
        self.buffers.answer(host::subject_lines(&self.buffers.input));
    }

    /// Outputs the decision on the authorization request in the input.
    pub fn can(&mut self) {
        let decision = host::decide(&self.buffers.input);
        self.buffers.answer(decision);
    }

    /// Returns the position, in hundredths, for the tenant id (`split` bytes) and key in the input.
    pub fn position(&mut self, split: usize) -> u16 {
        let (tenant_id, key) = self.buffers.strings(split);
        rollout_position(tenant_id, key)
    }

    /// Compares two snapshots, the first `split` bytes long, and outputs the changed keys, one per
    /// line.
    pub fn changed_keys(&mut self, split: usize) {
        let (before, after) = self.buffers.input.split_at_checked(split).unwrap_or_default();
        let keys = host::changed_keys(before, after);
        self.buffers.answer(keys);
    }
}
