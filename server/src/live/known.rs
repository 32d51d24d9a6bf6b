//! Who is known: people by their records, machines by their keys.

use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use dezky_core::Timestamp;
use dezky_core::access::UserRecord;
use dezky_core::model::User;
use dezky_core::names::Email;

use crate::keys::Key;
use crate::store::{KeyUse, identity_of};

/// A user, as decisions need one.
#[derive(Debug)]
pub struct Known {
    /// Their record's rights.
    pub record: UserRecord,
    /// Their e-mail address, for the log: only where it is verified.
    pub email: Option<Email>,
    /// By what they are recognised, once they have signed in.
    pub(super) identity: Option<String>,
    /// Who first vouched for them.
    pub(super) issuer: Option<Box<str>>,
}

impl Known {
    pub(super) fn new(user: &User) -> Known {
        let subject = user.subject.as_ref();
        Known {
            record: UserRecord::from(user),
            email: user.email_verified.then(|| user.email.clone()),
            identity: subject.map(|own| identity_of(own.issuer.as_str(), own.sub.as_str())),
            issuer: subject.map(|own| own.issuer.as_str().into()),
        }
    }
}

/// A machine key, and when and from where it was last used.
#[derive(Debug)]
pub struct KnownKey {
    /// The key.
    pub key: Key,
    // In microseconds since 1970; 0 for never.
    used_at: AtomicI64,
    noted_at: AtomicI64,
    used_from: Mutex<Option<IpAddr>>,
}

impl KnownKey {
    pub(super) fn new(key: Key, last_used_at: Option<Timestamp>, used_from: Option<IpAddr>) -> KnownKey {
        let used_at = last_used_at.map_or(0, Timestamp::as_micros);
        KnownKey {
            key,
            used_at: AtomicI64::new(used_at),
            noted_at: AtomicI64::new(used_at),
            used_from: Mutex::new(used_from),
        }
    }

    /// The same uses of what the key has become.
    pub(super) fn changed(&self, key: Key) -> KnownKey {
        let copy = |micros: &AtomicI64| AtomicI64::new(micros.load(Ordering::Relaxed));
        KnownKey {
            key,
            used_at: copy(&self.used_at),
            noted_at: copy(&self.noted_at),
            used_from: Mutex::new(self.last_used_from()),
        }
    }

    /// It is being used. To the millisecond: threads that write to one place hold each other up.
    pub fn used(&self, now: Timestamp, from: IpAddr) {
        let micros = now.as_micros();
        if micros >= self.used_at.load(Ordering::Relaxed).saturating_add(1_000) {
            self.used_at.fetch_max(micros, Ordering::Relaxed);
            *self.used_from.lock().unwrap_or_else(PoisonError::into_inner) = Some(from);
        }
    }

    /// The address from which it was last used, if ever.
    pub fn last_used_from(&self) -> Option<IpAddr> {
        *self.used_from.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When it was last used, if ever.
    pub fn last_used_at(&self) -> Option<Timestamp> {
        match self.used_at.load(Ordering::Relaxed) {
            0 => None,
            micros => Timestamp::from_micros(micros).ok(),
        }
    }

    /// Its last use, if that is not what was given out here before.
    pub(super) fn newly_used(&self) -> Option<KeyUse> {
        let used_at = self.used_at.load(Ordering::Relaxed);
        let is_new = self.noted_at.swap(used_at, Ordering::Relaxed) != used_at;
        let at = self.last_used_at().filter(|_| is_new)?;
        Some(KeyUse { key: self.key.id.clone(), at, from: self.last_used_from() })
    }
}
