//! The exact value of a JSON number: no float is ever involved.

/// A number times a power of ten: whole, or between two whole numbers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Scaled {
    Whole(i128),
    /// Not whole: the digits before the point (saturated), and whether it is negative.
    Between {
        magnitude: i128,
        negative: bool,
    },
}

/// The value of a well-formed JSON number times 10 to the power of `decimals`.
pub(super) fn scaled(number: &str, decimals: i64) -> Scaled {
    let (negative, unsigned) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number),
    };
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    let Some(first) = digits().position(|digit| digit != b'0') else { return Scaled::Whole(0) };
    let trailing = digits().rev().take_while(|&digit| digit == b'0').count();
    let count = whole.len() + fraction.len() - first - trailing;
    let zeros = clamped_exponent(exponent) + decimals - fraction.len() as i64 + trailing as i64;

    let before_point = count as i64 + zeros.min(0);
    let magnitude = digits()
        .skip(first)
        .take(before_point.max(0) as usize)
        .fold(0_i128, |value, digit| value.saturating_mul(10).saturating_add(i128::from(digit - b'0')));
    if zeros < 0 {
        return Scaled::Between { magnitude, negative };
    }
    let magnitude = (0..zeros.min(40)).fold(magnitude, |value, _| value.saturating_mul(10));
    Scaled::Whole(if negative { -magnitude } else { magnitude })
}

/// An exponent beyond any length of text counts as one that is: both are out of every range.
fn clamped_exponent(exponent: &str) -> i64 {
    const BEYOND: i64 = 1 << 40;
    let (negative, digits) = match exponent.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, exponent.strip_prefix('+').unwrap_or(exponent)),
    };
    let value =
        digits.bytes().fold(0, |value: i64, digit| (value * 10 + i64::from(digit - b'0')).min(BEYOND));
    if negative { -value } else { value }
}

#[cfg(test)]
mod tests {
    use super::{Scaled::*, scaled};

    #[test]
    fn values_are_exact_whatever_the_spelling() {
        let between = |magnitude, negative| Between { magnitude, negative };
        let cases = [
            ("25", 2, Whole(2500)),
            ("25.00", 2, Whole(2500)),
            ("2.5e1", 2, Whole(2500)),
            ("2500E-2", 2, Whole(2500)),
            ("37.25", 2, Whole(3725)),
            ("0.01", 2, Whole(1)),
            ("-0.0", 2, Whole(0)),
            ("-1", 0, Whole(-1)),
            ("25.001", 2, between(2500, false)),
            ("100.001", 2, between(10000, false)),
            ("-0.001", 2, between(0, true)),
            ("1e-400", 2, between(0, false)),
            ("0e99999999999999999999", 0, Whole(0)),
            ("9223372036854775807", 0, Whole(i128::from(i64::MAX))),
            ("1e99999999999999999999", 0, Whole(i128::MAX)),
            ("1e-99999999999999999999", 0, between(0, false)),
        ];
        for (text, decimals, expected) in cases {
            assert_eq!(scaled(text, decimals), expected, "{text}");
        }
    }
}
