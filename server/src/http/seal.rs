//! Sealed strings that clients carry: they cannot be forged or used for another purpose.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const SEAL_BYTES: usize = 16;

/// Seals strings with HMAC-SHA-256 and opens them again.
#[derive(Clone)]
pub struct Seal(hmac::Key);

impl Seal {
    /// Creates a seal from the secret of the store, so that sealed strings stay valid after a
    /// restart.
    pub fn new(secret: &[u8; 32]) -> Seal {
        Seal(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// Seals a string for one purpose.
    pub fn seal(&self, purpose: &str, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        let tag = self.tag(purpose, &bytes);
        bytes.extend(tag.as_ref().iter().take(SEAL_BYTES));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Opens a string that was sealed for this purpose.
    pub fn open(&self, purpose: &str, sealed: &str) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (text, seal) = bytes.split_at_checked(bytes.len().checked_sub(SEAL_BYTES)?)?;
        let tag = self.tag(purpose, text);
        aws_lc_rs::constant_time::verify_slices_are_equal(tag.as_ref().get(..SEAL_BYTES)?, seal).ok()?;
        String::from_utf8(text.to_vec()).ok()
    }

    fn tag(&self, purpose: &str, text: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&(purpose.len() as u64).to_be_bytes());
        context.update(purpose.as_bytes());
        context.update(text);
        context.sign()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn sealed_strings_open_only_for_their_purpose() {
        let seal = Seal::new(&[7; 32]);
        let sealed = seal.seal("tenants", "acme\nnorth");
        assert_eq!(seal.open("tenants", &sealed).unwrap(), "acme\nnorth");
        assert_eq!(seal.open("tenants?plan=free", &sealed), None);
        assert_eq!(Seal::new(&[8; 32]).open("tenants", &sealed), None);
        for at in 0..sealed.len() {
            let mut forged = sealed.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(seal.open("tenants", &forged), None, "character {at}");
        }
        for junk in ["", "A", "....", "ä"] {
            assert_eq!(seal.open("tenants", junk), None);
        }
    }
}
