//! Values that the host refers to by number.

use alloc::boxed::Box;

/// Values by number; the numbers of removed values are reused.
///
/// This is a linked list because a page holds one or two values, and the code that grows a `Vec`
/// adds 100 bytes of brotli to flags.wasm.
pub(crate) struct Slots<T>(Option<Box<Slot<T>>>);

struct Slot<T> {
    value: Option<T>,
    rest: Slots<T>,
}

impl<T> Default for Slots<T> {
    fn default() -> Slots<T> {
        Slots(None)
    }
}

impl<T> Slots<T> {
    /// Stores a value in the first free slot and returns its number. `None` leaves the slot free.
    pub(crate) fn insert(&mut self, value: Option<T>) -> usize {
        let mut number = 0;
        let mut slots = self;
        loop {
            let slot = slots.0.get_or_insert_with(|| Box::new(Slot { value: None, rest: Slots(None) }));
            if slot.value.is_none() {
                slot.value = value;
                return number;
            }
            slots = &mut slot.rest;
            number += 1;
        }
    }

    pub(crate) fn get(&self, number: usize) -> Option<&T> {
        let mut slot = self.0.as_ref()?;
        for _ in 0..number {
            slot = slot.rest.0.as_ref()?;
        }
        slot.value.as_ref()
    }

    pub(crate) fn remove(&mut self, number: usize) {
        let mut slots = self;
        for _ in 0..number {
            let Some(slot) = &mut slots.0 else { return };
            slots = &mut slot.rest;
        }
        if let Some(slot) = &mut slots.0 {
            slot.value = None;
        }
    }
}
