//! Flags and access: the module that a portal loads.

use alloc::vec;

use dezky_core::{AccessRequest, Digest, Ruleset, Snapshot, Subject, SubjectDocument, rollout_position};
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
        let (summary, ruleset) = match Snapshot::from_json(&core::mem::take(&mut self.buffers.input)) {
            Ok(snapshot) => (Ok(snapshot.to_summary_json()), Some(Ruleset::new(snapshot))),
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
        let subject = Subject::from_lines(text(input));
        let Some((subject, rules)) = subject.zip(self.rulesets.get(number)) else { return false };
        *output = vec![0; bytes];
        rules.evaluate_bits(&subject, output);
        true
    }

    /// Takes a subject's lines, so many bytes, and a key; answers the explanation.
    pub fn explain(&mut self, number: usize, split: usize) {
        let (lines, key) = self.buffers.texts(split);
        let asked = Subject::from_lines(lines).zip(self.rulesets.get(number));
        let explanation = asked.map(|(subject, rules)| rules.explain(key, &subject).to_json());
        self.buffers.answer(Ok(explanation.unwrap_or_default()));
    }

    /// Takes a list of subjects, answers their fingerprint.
    pub fn fingerprint(&mut self, number: usize) {
        if let Some(rules) = self.rulesets.get(number) {
            let fingerprint = rules.fingerprint_json(&self.buffers.input);
            self.buffers.answer(fingerprint.map(Digest::into_string));
        }
    }

    /// Takes a subject, answers its lines.
    pub fn subject(&mut self) {
        self.buffers.answer(SubjectDocument::lines_of(&self.buffers.input));
    }

    /// Takes a question about access, answers the decision.
    pub fn can(&mut self) {
        let decision = AccessRequest::decide_json(&self.buffers.input);
        self.buffers.answer(decision.map(|decision| decision.to_json()));
    }

    /// Takes a tenant's id, so many bytes, and a key; gives the position in hundredths.
    pub fn position(&mut self, split: usize) -> u16 {
        let (tenant_id, key) = self.buffers.texts(split);
        rollout_position(tenant_id, key)
    }

    /// Takes two snapshots, the first so many bytes long; answers the keys that changed, a line each.
    pub fn changed_keys(&mut self, split: usize) {
        let (before, after) = self.buffers.input.split_at_checked(split).unwrap_or_default();
        let keys = Snapshot::changed_lines(before, after);
        self.buffers.answer(keys);
    }
}
