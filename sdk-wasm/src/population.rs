//! Worlds and validation: the module that loads when it is used.

use alloc::string::String;

use dezky_core::Error;
use dezky_core::host;
use dezky_core::world::World;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::buffers::{Buffers, text};
use crate::slots::Slots;

/// Every world of a page, by number.
#[wasm_bindgen]
#[derive(Default)]
pub struct Population {
    buffers: Buffers,
    worlds: Slots<World>,
}

#[wasm_bindgen]
impl Population {
    /// No worlds yet.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Population {
        Population::default()
    }

    /// Where the host writes so many bytes.
    pub fn input(&mut self, length: usize) -> usize {
        self.buffers.make_room(length)
    }

    /// Where the answer stands.
    pub fn output(&self) -> usize {
        self.buffers.output.as_ptr() as usize
    }

    /// How long the answer is.
    pub fn length(&self) -> usize {
        self.buffers.output.len()
    }

    /// Takes a world, answers its summary, and gives its number.
    pub fn world(&mut self) -> usize {
        let (summary, world) = match host::world(&core::mem::take(&mut self.buffers.input)) {
            Ok((world, summary)) => (Ok(summary), Some(world)),
            Err(error) => (Err(error), None),
        };
        self.buffers.answer(summary);
        self.worlds.keep(world)
    }

    /// Forgets a world.
    pub fn free_world(&mut self, number: usize) {
        self.worlds.drop(number);
    }

    /// Takes an edit, answers its plan.
    pub fn plan(&mut self, number: usize) {
        self.ask(number, host::plan);
    }

    /// Takes a flag's key, answers its ladder.
    pub fn ladder(&mut self, number: usize) {
        self.ask(number, |world, key| host::ladder(world, text(key)));
    }

    /// Takes a flag's key, answers its counts.
    pub fn counts(&mut self, number: usize) {
        self.ask(number, |world, key| host::counts(world, text(key)));
    }

    /// Answers the fingerprint over every registered tenant.
    pub fn fingerprint(&mut self, number: usize) {
        self.ask(number, |world, _| Ok(host::world_fingerprint(world)));
    }

    /// Takes the name of a document's kind, so many bytes, and the document; answers it as it is written back.
    pub fn validate(&mut self, split: usize) {
        let (kind, document) = self.buffers.input.split_at_checked(split).unwrap_or_default();
        if let Some(normal) = host::normalize(text(kind), document) {
            self.buffers.answer(normal);
        }
    }
}

impl Population {
    fn ask(&mut self, number: usize, answer: impl FnOnce(&World, &[u8]) -> Result<String, Error>) {
        if let Some(world) = self.worlds.get(number) {
            let answer = answer(world, &self.buffers.input);
            self.buffers.answer(answer);
        }
    }
}
