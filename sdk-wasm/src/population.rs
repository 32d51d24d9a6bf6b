//! The module world.wasm: worlds and validation, loaded only where it is imported.

use alloc::string::String;

use dezky_core::Error;
use dezky_core::host;
use dezky_core::world::World;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::buffers::{Buffers, text};
use crate::slots::Slots;

/// The worlds of a page, each addressed by a number.
#[wasm_bindgen]
#[derive(Default)]
pub struct Population {
    buffers: Buffers,
    worlds: Slots<World>,
}

#[wasm_bindgen]
impl Population {
    /// Creates an instance without worlds.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Population {
        Population::default()
    }

    /// Allocates an input buffer of `length` bytes and returns its address.
    pub fn input(&mut self, length: usize) -> usize {
        self.buffers.make_room(length)
    }

    /// The address of the output buffer.
    pub fn output(&self) -> usize {
        self.buffers.output.as_ptr() as usize
    }

    /// The length of the output in bytes.
    pub fn length(&self) -> usize {
        self.buffers.output.len()
    }

    /// Reads the world in the input, outputs its summary, and returns its number.
    pub fn world(&mut self) -> usize {
        let (summary, world) = match host::world(&core::mem::take(&mut self.buffers.input)) {
            Ok((world, summary)) => (Ok(summary), Some(world)),
            Err(error) => (Err(error), None),
        };
        self.buffers.answer(summary);
        self.worlds.insert(world)
    }

    /// Frees a world, so that its number can be reused.
    pub fn free_world(&mut self, number: usize) {
        self.worlds.remove(number);
    }

    /// Outputs the plan of the edit in the input.
    pub fn plan(&mut self, number: usize) {
        self.query(number, host::plan);
    }

    /// Outputs the ladder of the flag whose key is in the input.
    pub fn ladder(&mut self, number: usize) {
        self.query(number, |world, key| host::ladder(world, text(key)));
    }

    /// Outputs the counts of the flag whose key is in the input.
    pub fn counts(&mut self, number: usize) {
        self.query(number, |world, key| host::counts(world, text(key)));
    }

    /// Outputs the fingerprint over every registered tenant.
    pub fn fingerprint(&mut self, number: usize) {
        self.query(number, |world, _| Ok(host::world_fingerprint(world)));
    }

    /// Validates the document in the input, after the name of its kind (`split` bytes), and outputs
    /// its normal form.
    pub fn validate(&mut self, split: usize) {
        let (kind, document) = self.buffers.input.split_at_checked(split).unwrap_or_default();
        if let Some(normal) = host::normalize(text(kind), document) {
            self.buffers.answer(normal);
        }
    }
}

impl Population {
    fn query(&mut self, number: usize, answer: impl FnOnce(&World, &[u8]) -> Result<String, Error>) {
        if let Some(world) = self.worlds.get(number) {
            let answer = answer(world, &self.buffers.input);
            self.buffers.answer(answer);
        }
    }
}
