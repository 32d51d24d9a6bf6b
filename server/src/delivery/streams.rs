//! Streams that are open: how many in all, and how many of each caller who may have only so many.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The streams that are open.
#[derive(Debug, Default)]
pub struct Streams {
    hasher: RandomState,
    open: AtomicUsize,
    of_callers: Mutex<HashMap<u64, usize>>,
}

/// A place among the open streams; given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    streams: Arc<Streams>,
    caller: Option<u64>,
}

impl Streams {
    /// How many are open.
    pub fn count(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// A place for one more of a caller who may have so many; nothing, where they have them.
    pub fn place(self: &Arc<Streams>, limited: Option<(impl Hash, usize)>) -> Option<Place> {
        let caller = match limited {
            None => None,
            Some((caller, most)) => {
                let caller = self.hasher.hash_one(caller);
                let mut of_callers = self.of_callers.lock().unwrap_or_else(PoisonError::into_inner);
                let open = of_callers.entry(caller).or_default();
                if *open >= most {
                    return None;
                }
                *open += 1;
                Some(caller)
            }
        };
        self.open.fetch_add(1, Ordering::Relaxed);
        Some(Place { streams: Arc::clone(self), caller })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.streams.open.fetch_sub(1, Ordering::Relaxed);
        let Some(caller) = self.caller else { return };
        let mut of_callers = self.streams.of_callers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = of_callers.get_mut(&caller) {
            *open -= 1;
            if *open == 0 {
                of_callers.remove(&caller);
            }
        }
    }
}
