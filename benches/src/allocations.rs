//! A counting allocator: how many allocations a piece of work makes, and how many bytes stay alive after it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Off while anything is timed, so that a peer that allocates pays one predictable branch and no more.
static COUNTING: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static LIVE_BYTES: AtomicI64 = AtomicI64::new(0);

// Sound because every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(1, layout.size() as i64);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(1, layout.size() as i64);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        note(0, -(layout.size() as i64));
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        note(1, new_size as i64 - layout.size() as i64);
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

#[inline(always)]
fn note(allocations: u64, bytes: i64) {
    if COUNTING.load(Relaxed) {
        ALLOCATIONS.fetch_add(allocations, Relaxed);
        LIVE_BYTES.fetch_add(bytes, Relaxed);
    }
}

pub struct Counted {
    pub allocations: u64,
    /// Requested bytes that were allocated inside and not freed inside.
    pub kept_bytes: i64,
}

/// Nothing else runs in this process, so the counters are this work's alone.
pub fn count<Output>(work: impl FnOnce() -> Output) -> (Output, Counted) {
    let before = (ALLOCATIONS.load(Relaxed), LIVE_BYTES.load(Relaxed));
    COUNTING.store(true, Relaxed);
    let output = work();
    COUNTING.store(false, Relaxed);
    let counted = Counted {
        allocations: ALLOCATIONS.load(Relaxed) - before.0,
        kept_bytes: LIVE_BYTES.load(Relaxed) - before.1,
    };
    (output, counted)
}
