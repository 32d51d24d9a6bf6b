//! Reach: the instances that evaluate locally and the rules of each, from their own reports.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use dezky_core::Timestamp;
use dezky_core::names::{Digest, Environment, Id};
use tokio::sync::Notify;

use crate::keys::KeyRecord;

/// The age at which a report is no longer recent, so its instance never counts as reached. Clients
/// report at least every 36 seconds.
const RECENT: Duration = Duration::from_secs(90);

/// The age at which a report expires.
const EXPIRY: Duration = Duration::from_secs(600);

/// The most instances of one server key. A whole fleet shares one key.
const MAX_PER_SERVER_KEY: usize = 20_000;

/// The most instances of one tenant's key.
const MAX_PER_TENANT_KEY: usize = 1_000;

/// The most instances of all tenants' keys together. Server keys do not count towards this limit,
/// so tenants cannot crowd them out.
const MAX_OF_TENANTS: usize = 100_000;

/// The rules that an instance evaluates with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct FollowedRules {
    /// The environment of the instance's key.
    pub(crate) environment: Environment,
    /// The tenant whose slice the instance follows; `None` for the whole snapshot.
    pub(crate) tenant: Option<Id>,
}

/// The last report of an instance.
#[derive(Debug, Clone)]
pub(crate) struct InstanceReport {
    /// The rules that the instance follows.
    pub(crate) followed: FollowedRules,
    /// The digest of the loaded rules; `None` before the first load.
    pub(crate) digest: Option<Digest>,
    /// The time when the report arrived.
    pub(crate) at: Timestamp,
}

/// An instance with its last report.
#[derive(Debug, Clone)]
pub(crate) struct Instance {
    /// The name that the instance chose.
    pub(crate) name: String,
    /// The id of the machine key that the instance uses.
    pub(crate) key: Id,
    /// The last report of the instance.
    pub(crate) report: InstanceReport,
    /// True if the report is less than 90 seconds old.
    pub(crate) is_recent: bool,
}

/// The instances with unexpired reports, and the keys whose list is incomplete.
#[derive(Debug, Clone, Default)]
pub(crate) struct InstanceList {
    /// The instances, sorted by name.
    pub(crate) instances: Vec<Instance>,
    /// The ids of machine keys with more instances than the table holds, sorted.
    pub(crate) incomplete: Vec<Id>,
}

/// The table of instances and their last reports.
#[derive(Default)]
pub(crate) struct Reach {
    table: Mutex<Table>,
    changed: Notify,
}

#[derive(Default)]
struct Table {
    keys: HashMap<Id, KeyInstances>,
    // The number of instances of all tenants' keys.
    of_tenants: usize,
    swept_at: Option<Instant>,
}

/// The instances of one key. Instances of different keys may share a name.
#[derive(Default)]
struct KeyInstances {
    belongs_to_tenant: bool,
    instances: HashMap<Box<str>, (Instant, InstanceReport)>,
    // The last time when the table had no room for an instance of this key.
    overflowed_at: Option<Instant>,
}

impl Reach {
    /// Stores the report of an instance. Without room for a new instance, marks the key as
    /// incomplete.
    pub(crate) fn record(&self, key: &KeyRecord, name: &str, report: InstanceReport, now: Instant) {
        let mut table = self.table();
        table.sweep(now);
        let Table { keys, of_tenants, .. } = &mut *table;
        let own = keys.entry(key.id.clone()).or_default();
        own.belongs_to_tenant = key.tenant_id.is_some();
        let has_room = match own.belongs_to_tenant {
            true => own.instances.len() < MAX_PER_TENANT_KEY && *of_tenants < MAX_OF_TENANTS,
            false => own.instances.len() < MAX_PER_SERVER_KEY,
        };
        let mut is_change = true;
        if let Some(stored) = own.instances.get_mut(name) {
            is_change = stored.1.digest != report.digest;
            *stored = (now, report);
        } else if has_room {
            own.instances.insert(name.into(), (now, report));
            *of_tenants += usize::from(own.belongs_to_tenant);
        } else {
            is_change = own.overflowed_at.is_none();
            own.overflowed_at = Some(now);
        }
        drop(table);
        if is_change {
            self.changed.notify_waiters();
        }
    }

    /// Removes an instance that signed off.
    pub(crate) fn forget(&self, key: &KeyRecord, name: &str) {
        let mut table = self.table();
        let Table { keys, of_tenants, .. } = &mut *table;
        let Some(own) = keys.get_mut(&key.id) else { return };
        let was_stored = own.instances.remove(name).is_some();
        *of_tenants -= usize::from(was_stored && own.belongs_to_tenant);
        drop(table);
        if was_stored {
            self.changed.notify_waiters();
        }
    }

    /// Returns the instances whose reports have not expired.
    pub(crate) fn list(&self, now: Instant) -> InstanceList {
        let mut table = self.table();
        table.sweep(now);
        let mut list = InstanceList::default();
        for (key, own) in &table.keys {
            if own.overflowed_at.is_some_and(|at| is_unexpired(at, now)) {
                list.incomplete.push(key.clone());
            }
            let unexpired = own.instances.iter().filter(|(_, (at, _))| is_unexpired(*at, now));
            list.instances.extend(unexpired.map(|(name, (at, report))| Instance {
                name: name.to_string(),
                key: key.clone(),
                report: report.clone(),
                is_recent: now.saturating_duration_since(*at) < RECENT,
            }));
        }
        drop(table);
        list.instances.sort_by(|one, other| one.name.cmp(&other.name));
        list.incomplete.sort();
        list
    }

    /// Completes at the next change of any instance's digest. Call this before reading the list, so
    /// that no change is missed.
    pub(crate) fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.changed.notified()
    }

    fn table(&self) -> std::sync::MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The interval between removals of expired reports.
const SWEEP_EVERY: Duration = Duration::from_secs(30);

fn is_unexpired(at: Instant, now: Instant) -> bool {
    now.saturating_duration_since(at) < EXPIRY
}

impl Table {
    fn sweep(&mut self, now: Instant) {
        let is_due = |at: Instant| now.saturating_duration_since(at) >= SWEEP_EVERY;
        if !self.swept_at.is_none_or(is_due) {
            return;
        }
        self.swept_at = Some(now);
        for own in self.keys.values_mut() {
            own.instances.retain(|_, (at, _)| is_unexpired(*at, now));
            own.overflowed_at = own.overflowed_at.filter(|at| is_unexpired(*at, now));
        }
        self.keys.retain(|_, own| !own.instances.is_empty() || own.overflowed_at.is_some());
        let of_tenants = self.keys.values().filter(|own| own.belongs_to_tenant);
        self.of_tenants = of_tenants.map(|own| own.instances.len()).sum();
    }
}

#[cfg(test)]
mod tests;
