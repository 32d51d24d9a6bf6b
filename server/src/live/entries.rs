//! Users and machine keys in memory, as authentication needs them.

use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use dezky_core::Timestamp;
use dezky_core::access::UserRecord;
use dezky_core::model::User;
use dezky_core::names::Email;

use crate::keys::KeyRecord;
use crate::store::{KeyUse, identity_key};

/// A user, reduced to what decisions need.
#[derive(Debug)]
pub struct UserEntry {
    /// The rights of the user's record.
    pub record: UserRecord,
    /// The verified e-mail address, for the log.
    pub email: Option<Email>,
    /// The identity key, once the user has signed in.
    pub(super) identity: Option<String>,
    /// The issuer of the first sign-in.
    pub(super) issuer: Option<Box<str>>,
}

impl UserEntry {
    pub(super) fn new(user: &User) -> UserEntry {
        let subject = user.subject.as_ref();
        UserEntry {
            record: UserRecord::from(user),
            email: user.email_verified.then(|| user.email.clone()),
            identity: subject.map(|own| identity_key(own.issuer.as_str(), own.sub.as_str())),
            issuer: subject.map(|own| own.issuer.as_str().into()),
        }
    }
}

/// A machine key with the time and address of its last use.
#[derive(Debug)]
pub struct KeyEntry {
    /// The record of the machine key.
    pub key: KeyRecord,
    // Microseconds since 1970; 0 for never.
    used_at: AtomicI64,
    taken_at: AtomicI64,
    used_from: Mutex<Option<IpAddr>>,
}

impl KeyEntry {
    pub(super) fn new(
        key: KeyRecord,
        last_used_at: Option<Timestamp>,
        used_from: Option<IpAddr>,
    ) -> KeyEntry {
        let used_at = last_used_at.map_or(0, Timestamp::as_micros);
        KeyEntry {
            key,
            used_at: AtomicI64::new(used_at),
            taken_at: AtomicI64::new(used_at),
            used_from: Mutex::new(used_from),
        }
    }

    /// Returns an entry for the changed record, with the same last use.
    pub(super) fn with_key(&self, key: KeyRecord) -> KeyEntry {
        let copy = |micros: &AtomicI64| AtomicI64::new(micros.load(Ordering::Relaxed));
        KeyEntry {
            key,
            used_at: copy(&self.used_at),
            taken_at: copy(&self.taken_at),
            used_from: Mutex::new(self.last_used_from()),
        }
    }

    /// Records a use. Skips uses within one millisecond of the last, because threads that write to
    /// one atomic slow each other down.
    pub fn record_use(&self, now: Timestamp, from: IpAddr) {
        let micros = now.as_micros();
        if micros >= self.used_at.load(Ordering::Relaxed).saturating_add(1_000) {
            self.used_at.fetch_max(micros, Ordering::Relaxed);
            *self.used_from.lock().unwrap_or_else(PoisonError::into_inner) = Some(from);
        }
    }

    /// The client's address at the last use.
    pub fn last_used_from(&self) -> Option<IpAddr> {
        *self.used_from.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time of the last use.
    pub fn last_used_at(&self) -> Option<Timestamp> {
        match self.used_at.load(Ordering::Relaxed) {
            0 => None,
            micros => Timestamp::from_micros(micros).ok(),
        }
    }

    /// Returns the last use, unless an earlier call returned it.
    pub(super) fn take_new_use(&self) -> Option<KeyUse> {
        let used_at = self.used_at.load(Ordering::Relaxed);
        let is_new = self.taken_at.swap(used_at, Ordering::Relaxed) != used_at;
        let at = self.last_used_at().filter(|_| is_new)?;
        Some(KeyUse { key: self.key.id.clone(), at, from: self.last_used_from() })
    }
}
