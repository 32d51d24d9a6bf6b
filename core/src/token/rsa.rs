//! Checks of RSA keys (specification section 15.2).

use super::findings::Findings;
use crate::Code;

const BITS: core::ops::RangeInclusive<usize> = 2048..=8192;

pub(super) fn check(modulus: &[u8], exponent: &[u8], findings: &mut Findings) {
    let bits = modulus.len() * 8 - modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
    if bits < *BITS.start() {
        findings.note(Code::KeyRsaShort, "/n");
    } else if bits > *BITS.end() {
        findings.note(Code::KeyRsaLong, "/n");
    } else if has_small_factor(modulus) {
        findings.note(Code::KeyRsaModulus, "/n");
    } else if has_roca_property(modulus) {
        findings.note(Code::KeyRsaRoca, "/n");
    }
    if !is_valid_exponent(exponent) {
        findings.note(Code::KeyRsaExponent, "/e");
    }
}

/// Returns whether the exponent is odd and above 2^16, as FIPS 186-5 requires, and has at most 32
/// bits, which bounds the work of a verification.
fn is_valid_exponent(exponent: &[u8]) -> bool {
    let value = exponent.iter().fold(0_u64, |value, &byte| value << 8 | u64::from(byte));
    exponent.len() <= 4 && value > 1 << 16 && value % 2 == 1
}

/// Returns whether the modulus has a factor below 752 (NIST SP 800-89, section 5.3.3).
fn has_small_factor(modulus: &[u8]) -> bool {
    core::iter::once(2).chain((3..752).step_by(2)).any(|divisor| remainder(modulus, divisor) == 0)
}

/// Returns whether the modulus is a power of 65537 modulo each of these primes, like the keys of a
/// faulty generator (ROCA, CVE-2017-15361). About one in 2^28 other keys has this property by
/// chance.
fn has_roca_property(modulus: &[u8]) -> bool {
    const PRIMES: [u32; 17] = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];
    PRIMES.iter().all(|&prime| {
        let target = remainder(modulus, prime);
        let mut powers =
            core::iter::successors(Some(1), |power| Some(power * 65_537 % prime)).take(prime as usize);
        powers.any(|power| power == target)
    })
}

fn remainder(number: &[u8], divisor: u32) -> u32 {
    number.iter().fold(0, |rest, &byte| (rest << 8 | u32::from(byte)) % divisor)
}
