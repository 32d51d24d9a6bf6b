//! Counts open streams, and limits them per caller.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The number of open streams, in total and per limited caller.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    hasher: RandomState,
    open: AtomicUsize,
    of_callers: Mutex<HashMap<u64, usize>>,
}

/// The right to keep one stream open. Dropping the permit releases it.
#[derive(Debug)]
pub(crate) struct StreamPermit {
    streams: Arc<Streams>,
    caller: Option<u64>,
}

impl Streams {
    /// The total number of open streams.
    pub(crate) fn count(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Acquires a permit. A limited caller receives `None` at its limit.
    pub(crate) fn acquire(self: &Arc<Streams>, limited: Option<(impl Hash, usize)>) -> Option<StreamPermit> {
        let caller = match limited {
            None => None,
            Some((caller, limit)) => {
                let caller = self.hasher.hash_one(caller);
                let mut of_callers = self.of_callers.lock().unwrap_or_else(PoisonError::into_inner);
                let open = of_callers.entry(caller).or_default();
                if *open >= limit {
                    return None;
                }
                *open += 1;
                Some(caller)
            }
        };
        self.open.fetch_add(1, Ordering::Relaxed);
        Some(StreamPermit { streams: Arc::clone(self), caller })
    }
}

impl Drop for StreamPermit {
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
