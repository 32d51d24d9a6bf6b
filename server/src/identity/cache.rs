//! A cache of verified tokens. A hit accepts no token that a new verification would reject.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock};

use dezky_core::Timestamp;
use dezky_core::token::Claims;
use sha2::{Digest, Sha256};

use super::keys::Keys;
use super::settings::LEEWAY_SECONDS;

/// The capacity in tokens: a few MB, and more than the callers active within a token's lifetime.
const CAPACITY: usize = 4_096;

const LEEWAY_MICROS: i64 = LEEWAY_SECONDS as i64 * 1_000_000;

/// The SHA-256 of a token. The cache never holds the token itself.
pub(super) type TokenDigest = [u8; 32];

pub(super) fn digest(token: &str) -> TokenDigest {
    Sha256::digest(token.as_bytes()).into()
}

#[derive(Debug, Default)]
pub(super) struct Cache {
    entries: RwLock<CachedTokens>,
}

/// The cached tokens. `order` holds each key of `by_digest` once, oldest first.
#[derive(Debug, Default)]
struct CachedTokens {
    by_digest: HashMap<TokenDigest, CachedToken>,
    order: VecDeque<TokenDigest>,
}

#[derive(Debug)]
struct CachedToken {
    claims: Arc<Claims>,
    keys: Arc<Keys>,
    verified_at: Timestamp,
}

impl CachedToken {
    /// Returns whether the token is still valid: it has not expired, and its keys are trusted. If
    /// the clock was set back to before the verification, the token may not be valid yet.
    fn is_valid(&self, now: Timestamp) -> bool {
        now >= self.verified_at
            && self.claims.expires_at.as_micros() > now.as_micros() - LEEWAY_MICROS
            && self.keys.are_trusted()
    }
}

impl Cache {
    pub(super) fn find(&self, digest: &TokenDigest, now: Timestamp) -> Option<Arc<Claims>> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries
            .by_digest
            .get(digest)
            .filter(|entry| entry.is_valid(now))
            .map(|entry| Arc::clone(&entry.claims))
    }

    pub(super) fn keep(
        &self,
        digest: TokenDigest,
        claims: Arc<Claims>,
        keys: Arc<Keys>,
        verified_at: Timestamp,
    ) {
        let entry = CachedToken { claims, keys, verified_at };
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if entries.by_digest.insert(digest, entry).is_some() {
            return;
        }
        entries.order.push_back(digest);
        if entries.order.len() > CAPACITY
            && let Some(oldest) = entries.order.pop_front()
        {
            entries.by_digest.remove(&oldest);
        }
    }
}
