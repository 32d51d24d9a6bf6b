//! Reach: which instances evaluate with which flags. Instances report this themselves; reports expire.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use dezky_core::Timestamp;
use dezky_core::names::{Digest, Environment, Id};
use tokio::sync::Notify;

use crate::keys::Key;

/// An instance that was silent for this long counts as silent, never as reached. Clients report at
/// least every 36 seconds.
const LATELY: Duration = Duration::from_secs(90);

/// An instance that was silent for this long is forgotten.
const REMEMBERED: Duration = Duration::from_secs(600);

/// Instances of one server key: a whole fleet uses one key.
const MAX_PER_SERVER_KEY: usize = 20_000;

/// Instances of one tenant's key.
const MAX_PER_TENANT_KEY: usize = 1_000;

/// Instances of all tenants' keys together. Server keys have room of their own, which tenants cannot take.
const MAX_OF_TENANTS: usize = 100_000;

/// The rules that an instance evaluates with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Watching {
    /// The environment of its key.
    pub environment: Environment,
    /// The tenant whose slice it follows; `None` for the whole snapshot.
    pub tenant: Option<Id>,
}

/// The last report of an instance.
#[derive(Debug, Clone)]
pub struct Heard {
    /// The rules that it follows.
    pub watching: Watching,
    /// The digest of the rules that it evaluates with; `None` before it has any.
    pub digest: Option<Digest>,
    /// The time of the report.
    pub at: Timestamp,
}

/// An instance.
#[derive(Debug, Clone)]
pub struct Instance {
    /// The name that it gave itself.
    pub name: String,
    /// The machine key that it uses.
    pub key: Id,
    /// Its last report.
    pub heard: Heard,
    /// True if that report is recent.
    pub lately: bool,
}

/// The instances that are remembered, and where the list is known to be incomplete.
#[derive(Debug, Clone, Default)]
pub struct Instances {
    /// The instances, by name.
    pub instances: Vec<Instance>,
    /// Machine keys with more instances than the table holds, by id.
    pub incomplete: Vec<Id>,
}

/// The table of instances.
#[derive(Default)]
pub struct Reach {
    table: Mutex<Table>,
    news: Notify,
}

#[derive(Default)]
struct Table {
    keys: HashMap<Id, OfKey>,
    // Over all tenants' keys.
    of_tenants: usize,
    swept_at: Option<Instant>,
}

/// The instances of one key: a key can never report for another key's instances.
#[derive(Default)]
struct OfKey {
    is_tenants: bool,
    instances: HashMap<Box<str>, (Instant, Heard)>,
    // The last time that an instance could not be remembered.
    overflowed_at: Option<Instant>,
}

impl Reach {
    /// Remembers the report of an instance. A full table remembers nothing new, and says so in its list.
    pub fn hear(&self, key: &Key, name: &str, heard: Heard, now: Instant) {
        let mut table = self.table();
        table.sweep(now);
        let Table { keys, of_tenants, .. } = &mut *table;
        let own = keys.entry(key.id.clone()).or_default();
        own.is_tenants = key.tenant_id.is_some();
        let has_room = match own.is_tenants {
            true => own.instances.len() < MAX_PER_TENANT_KEY && *of_tenants < MAX_OF_TENANTS,
            false => own.instances.len() < MAX_PER_SERVER_KEY,
        };
        let mut is_news = true;
        if let Some(known) = own.instances.get_mut(name) {
            is_news = known.1.digest != heard.digest;
            *known = (now, heard);
        } else if has_room {
            own.instances.insert(name.into(), (now, heard));
            *of_tenants += usize::from(own.is_tenants);
        } else {
            is_news = own.overflowed_at.is_none();
            own.overflowed_at = Some(now);
        }
        drop(table);
        if is_news {
            self.news.notify_waiters();
        }
    }

    /// Removes an instance that has signed off.
    pub fn forget(&self, key: &Key, name: &str) {
        let mut table = self.table();
        let Table { keys, of_tenants, .. } = &mut *table;
        let Some(own) = keys.get_mut(&key.id) else { return };
        let was_known = own.instances.remove(name).is_some();
        *of_tenants -= usize::from(was_known && own.is_tenants);
        drop(table);
        if was_known {
            self.news.notify_waiters();
        }
    }

    /// The instances that are remembered.
    pub fn list(&self, now: Instant) -> Instances {
        let mut table = self.table();
        table.sweep(now);
        let mut list = Instances::default();
        for (key, own) in &table.keys {
            if own.overflowed_at.is_some_and(|at| is_remembered(at, now)) {
                list.incomplete.push(key.clone());
            }
            let remembered = own.instances.iter().filter(|(_, (at, _))| is_remembered(*at, now));
            list.instances.extend(remembered.map(|(name, (at, heard))| Instance {
                name: name.to_string(),
                key: key.clone(),
                heard: heard.clone(),
                lately: now.saturating_duration_since(*at) < LATELY,
            }));
        }
        drop(table);
        list.instances.sort_by(|one, other| one.name.cmp(&other.name));
        list.incomplete.sort();
        list
    }

    /// Completes when a report differs from the one before. Call this first, then look at the list.
    pub fn news(&self) -> tokio::sync::futures::Notified<'_> {
        self.news.notified()
    }

    fn table(&self) -> std::sync::MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The interval between removals of expired reports.
const SWEEP_EVERY: Duration = Duration::from_secs(30);

fn is_remembered(at: Instant, now: Instant) -> bool {
    now.saturating_duration_since(at) < REMEMBERED
}

impl Table {
    fn sweep(&mut self, now: Instant) {
        let is_due = |at: Instant| now.saturating_duration_since(at) >= SWEEP_EVERY;
        if !self.swept_at.is_none_or(is_due) {
            return;
        }
        self.swept_at = Some(now);
        for own in self.keys.values_mut() {
            own.instances.retain(|_, (at, _)| is_remembered(*at, now));
            own.overflowed_at = own.overflowed_at.filter(|at| is_remembered(*at, now));
        }
        self.keys.retain(|_, own| !own.instances.is_empty() || own.overflowed_at.is_some());
        let of_tenants = self.keys.values().filter(|own| own.is_tenants);
        self.of_tenants = of_tenants.map(|own| own.instances.len()).sum();
    }
}

#[cfg(test)]
mod tests;
