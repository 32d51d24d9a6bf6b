//! Things that the host holds by number.

use alloc::boxed::Box;

/// Things by number; the numbers of those that are gone are used again. A chain, because a page
/// holds one or two.
pub(crate) struct Slots<T>(Option<Box<Slot<T>>>);

struct Slot<T> {
    thing: Option<T>,
    further: Slots<T>,
}

impl<T> Default for Slots<T> {
    fn default() -> Slots<T> {
        Slots(None)
    }
}

impl<T> Slots<T> {
    /// Keeps a thing, or a number for one that could not be made.
    pub(crate) fn keep(&mut self, thing: Option<T>) -> usize {
        let mut number = 0;
        let mut slots = self;
        loop {
            let slot = slots.0.get_or_insert_with(|| Box::new(Slot { thing: None, further: Slots(None) }));
            if slot.thing.is_none() {
                slot.thing = thing;
                return number;
            }
            slots = &mut slot.further;
            number += 1;
        }
    }

    pub(crate) fn get(&self, number: usize) -> Option<&T> {
        let mut slot = self.0.as_ref()?;
        for _ in 0..number {
            slot = slot.further.0.as_ref()?;
        }
        slot.thing.as_ref()
    }

    pub(crate) fn drop(&mut self, number: usize) {
        let mut slots = self;
        for _ in 0..number {
            let Some(slot) = &mut slots.0 else { return };
            slots = &mut slot.further;
        }
        if let Some(slot) = &mut slots.0 {
            slot.thing = None;
        }
    }
}
