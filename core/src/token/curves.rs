//! Checks of the curve points of public keys (specification section 15.2).

use alloc::vec::Vec;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};

/// Returns the uncompressed form (SEC 1, section 2.3.3) of a point if the point is on P-256.
pub(super) fn p256_point(x: [u8; 32], y: [u8; 32]) -> Option<Vec<u8>> {
    let point = [&[4], x.as_slice(), y.as_slice()].concat();
    ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point).ok()?;
    Some(point)
}

/// A number of 256 bits: its upper 128 bits, then its lower 128 bits.
type U256 = (u128, u128);

/// The prime of the field, 2^255 - 19.
const FIELD: U256 = (u128::MAX >> 1, u128::MAX - 18);

/// The y coordinates of the eight points of order 1, 2, 4 and 8. For such a key, anyone can make
/// signatures without a secret.
const SMALL_ORDER: [U256; 5] = [
    (0, 0),
    (0, 1),
    (FIELD.0, FIELD.1 - 1),
    (0x05fc_536d_8802_38b1_3933_c6d3_05ac_dfd5, 0xf098_eff2_89f4_c345_b027_b2c2_8f95_e826),
    (0x7a03_ac92_77fd_c74e_c6cc_392c_fa53_202a, 0x0f67_100d_760b_3cba_4fd8_4d3d_706a_17c7),
];

/// Returns whether an Ed25519 key has a canonical y coordinate (RFC 8032, section 5.1.3) and is not
/// a point of small order. A y coordinate that belongs to no point needs no check, because no
/// signature verifies with it.
pub(super) fn is_strong_ed25519_point(point: [u8; 32]) -> bool {
    let y = point
        .iter()
        .rev()
        .fold((0, 0), |(high, low): U256, &byte| (high << 8 | low >> 120, low << 8 | u128::from(byte)));
    let y = (y.0 & FIELD.0, y.1);
    y < FIELD && !SMALL_ORDER.contains(&y)
}
