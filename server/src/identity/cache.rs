//! Tokens that were verified a moment ago. A hit accepts nothing that verifying again would refuse.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock};

use dezky_core::Timestamp;
use dezky_core::token::Claims;
use sha2::{Digest, Sha256};

use super::keys::Keys;
use super::settings::LEEWAY_SECONDS;

/// How many tokens are remembered: some MB, and more callers than are active within a token's life.
const CAPACITY: usize = 4_096;

const LEEWAY_MICROS: i64 = LEEWAY_SECONDS as i64 * 1_000_000;

/// A token's SHA-256: the token itself is not kept.
pub(super) type TokenDigest = [u8; 32];

pub(super) fn digest(token: &str) -> TokenDigest {
    Sha256::digest(token.as_bytes()).into()
}

#[derive(Debug, Default)]
pub(super) struct Cache {
    entries: RwLock<Entries>,
}

/// `order` holds each key of `by_digest` once, the oldest first.
#[derive(Debug, Default)]
struct Entries {
    by_digest: HashMap<TokenDigest, Entry>,
    order: VecDeque<TokenDigest>,
}

#[derive(Debug)]
struct Entry {
    claims: Arc<Claims>,
    keys: Arc<Keys>,
    verified_at: Timestamp,
}

impl Entry {
    /// What was valid once stays so until it expires, as long as its keys are trusted. Before that moment (a clock set back)
    /// it may have been too young.
    fn holds(&self, now: Timestamp) -> bool {
        now >= self.verified_at
            && self.claims.expires_at.as_micros() > now.as_micros() - LEEWAY_MICROS
            && self.keys.are_trusted()
    }
}

impl Cache {
    pub(super) fn find(&self, digest: &TokenDigest, now: Timestamp) -> Option<Arc<Claims>> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.by_digest.get(digest).filter(|entry| entry.holds(now)).map(|entry| Arc::clone(&entry.claims))
    }

    pub(super) fn keep(
        &self,
        digest: TokenDigest,
        claims: Arc<Claims>,
        keys: Arc<Keys>,
        verified_at: Timestamp,
    ) {
        let entry = Entry { claims, keys, verified_at };
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
