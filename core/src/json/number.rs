//! The exact value of a JSON number, computed without floats.

/// A number times a power of ten.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scaled {
    /// The digits before the decimal point; [`u64::MAX`] if they do not fit.
    pub(super) magnitude: u64,
    /// True if the number is below zero.
    pub(super) negative: bool,
    /// True if all digits after the decimal point are zeros.
    pub(super) is_whole: bool,
}

impl Scaled {
    fn append(&mut self, digit: u8) {
        let digit = u64::from(digit);
        // Dividing by a constant is cheaper than `checked_mul`, which multiplies 128 bits wide.
        let fits = self.magnitude <= (u64::MAX - digit) / 10;
        self.magnitude = if fits { self.magnitude * 10 + digit } else { u64::MAX };
    }

    /// Returns the value if it is a whole number of 64 bits.
    pub(super) fn to_i64(&self) -> Option<i64> {
        match self.negative {
            _ if !self.is_whole => None,
            true => 0_i64.checked_sub_unsigned(self.magnitude),
            false => self.magnitude.try_into().ok(),
        }
    }
}

/// Returns the value of a well-formed JSON number times 10 to the power of `decimals`.
pub(super) fn scaled(number: &str, decimals: i64) -> Scaled {
    let (mantissa, exponent) = split_exponent(number.as_bytes());
    let is_signed = mantissa.first() == Some(&b'-');
    let mut before_point = exponent + decimals;
    for byte in mantissa {
        match byte {
            b'.' => break,
            b'-' => {}
            _ => before_point += 1,
        }
    }

    let mut scaled = Scaled { magnitude: 0, negative: false, is_whole: true };
    for &byte in mantissa {
        if byte.is_ascii_digit() {
            if before_point > 0 {
                scaled.append(byte - b'0');
            } else if byte > b'0' {
                scaled.is_whole = false;
            }
            before_point -= 1;
        }
    }
    // Twenty zeros after any digit exceed 64 bits.
    for _ in 0..before_point.min(20) {
        scaled.append(0);
    }
    scaled.negative = is_signed && (scaled.magnitude > 0 || !scaled.is_whole);
    scaled
}

/// Splits a number into its mantissa and the value of its exponent. The exponent is clamped to a
/// bound beyond the length of any document, past which every number is out of range or zero.
fn split_exponent(number: &[u8]) -> (&[u8], i64) {
    const BOUND: i64 = 1 << 40;
    let (mut end, mut value, mut sign) = (number.len(), 0, 1);
    for (at, &byte) in number.iter().enumerate() {
        match byte {
            b'e' | b'E' => end = at,
            b'-' if at > end => sign = -1,
            b'0'..=b'9' if at > end => value = (value * 10 + i64::from(byte - b'0')).min(BOUND),
            _ => {}
        }
    }
    (number.get(..end).unwrap_or_default(), sign * value)
}

#[cfg(test)]
mod tests {
    use super::{Scaled, scaled};
    use std::prelude::v1::*;

    #[test]
    fn values_are_exact_in_every_notation() {
        let whole =
            |value: i64| Scaled { magnitude: value.unsigned_abs(), negative: value < 0, is_whole: true };
        let fraction = |magnitude, negative| Scaled { magnitude, negative, is_whole: false };
        let cases = [
            ("25", 2, whole(2500)),
            ("25.00", 2, whole(2500)),
            ("2.5e1", 2, whole(2500)),
            ("2500E-2", 2, whole(2500)),
            ("37.25", 2, whole(3725)),
            ("0.01", 2, whole(1)),
            ("-0.0", 2, whole(0)),
            ("-1", 0, whole(-1)),
            ("25.001", 2, fraction(2500, false)),
            ("100.001", 2, fraction(10000, false)),
            ("-0.001", 2, fraction(0, true)),
            ("1e-400", 2, fraction(0, false)),
            ("0e99999999999999999999", 0, whole(0)),
            ("9223372036854775807", 0, whole(i64::MAX)),
            ("1e99999999999999999999", 0, Scaled { magnitude: u64::MAX, negative: false, is_whole: true }),
            ("1e-99999999999999999999", 0, fraction(0, false)),
            ("-9223372036854775808", 0, whole(i64::MIN)),
            ("0.00000000000000000000000000000025e32", 0, whole(25)),
            ("25.0010000000000000000000000000000001", 2, fraction(2500, false)),
            ("250000000000000000000000000000000000e-34", 2, whole(2500)),
        ];
        for (text, decimals, expected) in cases {
            assert_eq!(scaled(text, decimals), expected, "{text}");
        }
    }
}
