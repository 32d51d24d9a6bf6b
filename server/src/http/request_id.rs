//! What a request is called: in its answer, in the log, and in what its caller reports.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::HeaderValue;

/// 32 hex digits: which server's run it was, and its number in it.
#[derive(Debug, Clone, Copy)]
pub struct RequestId([u8; LENGTH]);

const LENGTH: usize = 32;
const HALF: usize = LENGTH / 2;

static RUN: OnceLock<u64> = OnceLock::new();
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A thread takes so many numbers at once, because threads that write to one place hold each other up.
const TAKEN: u64 = 1 << 10;

thread_local! {
    /// The thread's next number. At a multiple of those taken at once, others are to be taken.
    static OWN: Cell<u64> = const { Cell::new(0) };
}

impl RequestId {
    /// One that no other request has.
    pub fn new() -> RequestId {
        // Randomness costs a call of the kernel: once is enough.
        let run = *RUN.get_or_init(|| uuid::Uuid::now_v7().as_u64_pair().1);
        let number = OWN.with(|own| {
            let number = match own.get() {
                next if next % TAKEN == 0 => NEXT.fetch_add(TAKEN, Ordering::Relaxed),
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

    /// Its digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The same as a header has it.
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
