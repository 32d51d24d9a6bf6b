//! The request id that links a response, its log lines and the reports of the client.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::HeaderValue;

/// 32 hex digits: a random number of the process and a counter.
#[derive(Debug, Clone, Copy)]
pub struct RequestId([u8; LENGTH]);

const LENGTH: usize = 32;
const HALF: usize = LENGTH / 2;

static RUN: OnceLock<u64> = OnceLock::new();
static NEXT: AtomicU64 = AtomicU64::new(0);

/// The size of the block of numbers that a thread reserves, because a shared counter would slow
/// all threads.
const BLOCK: u64 = 1 << 10;

thread_local! {
    /// The next number of the thread. A multiple of the block size means that the block is used
    /// up.
    static NEXT_OF_THREAD: Cell<u64> = const { Cell::new(0) };
}

impl RequestId {
    /// Creates an id that no other request has.
    pub fn new() -> RequestId {
        // Randomness needs a system call, so it is read once.
        let run = *RUN.get_or_init(|| uuid::Uuid::now_v7().as_u64_pair().1);
        let number = NEXT_OF_THREAD.with(|own| {
            let number = match own.get() {
                next if next % BLOCK == 0 => NEXT.fetch_add(BLOCK, Ordering::Relaxed),
                next => next,
            };
            own.set(number + 1);
            number
        });
        let mut digits = [0; LENGTH];
        let (first, second) = digits.split_at_mut(HALF);
        write(run, first);
        write(number, second);
        RequestId(digits)
    }

    /// Returns the 32 hex digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Returns the id as a header value.
    pub fn to_header(self) -> Option<HeaderValue> {
        HeaderValue::from_bytes(&self.0).ok()
    }
}

fn write(mut number: u64, digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        let value = (number % 16) as u8;
        *digit = if value < 10 { b'0' + value } else { b'a' + value - 10 };
        number /= 16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_are_hex() {
        let (one, other) = (RequestId::new(), RequestId::new());
        assert_ne!(one.as_str(), other.as_str());
        assert_eq!(one.as_str().get(..HALF), other.as_str().get(..HALF));
        assert!(one.as_str().len() == LENGTH && one.as_str().bytes().all(|digit| digit.is_ascii_hexdigit()));
        let mut digits = [0; HALF];
        write(0x0123_4567_89ab_cdef, &mut digits);
        assert_eq!(&digits, b"0123456789abcdef");
    }
}
