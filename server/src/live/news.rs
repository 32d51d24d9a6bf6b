//! News of the flags and of tenants, for those who wait for them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use dezky_core::Id;
use tokio::sync::watch;

/// Tells those who wait that something may have changed for them. Whoever is told looks for themselves: what was missed is never lost.
#[derive(Debug)]
pub struct News {
    // What a commit says, and what readers hear: between the two is a task, so that waking thousands holds up no commit and no answer.
    said: watch::Sender<u64>,
    heard: watch::Sender<u64>,
    tenants: Mutex<HashMap<Id, watch::Sender<()>>>,
}

/// What one reader waits for.
#[derive(Debug)]
pub struct Subscription {
    flags: watch::Receiver<u64>,
    tenant: Option<watch::Receiver<()>>,
}

/// Tenants whose readers are kept track of before those without readers are looked for.
const SWEEP_AT: usize = 1_024;

impl Default for News {
    fn default() -> News {
        News { said: watch::Sender::new(0), heard: watch::Sender::new(0), tenants: Mutex::default() }
    }
}

impl News {
    /// The flags are at this revision.
    pub fn flags(&self, revision: u64) {
        self.said.send_replace(revision);
    }

    /// Passes on what commits say, for as long as it is polled.
    pub async fn pass_on(&self) {
        let mut said = self.said.subscribe();
        // What was said before anybody passed it on.
        said.mark_changed();
        while said.changed().await.is_ok() {
            let revision = *said.borrow_and_update();
            self.heard.send_replace(revision);
        }
    }

    /// This tenant is not what it was.
    pub fn tenant(&self, id: &Id) {
        if let Some(readers) = self.tenants.lock().unwrap_or_else(PoisonError::into_inner).get(id) {
            readers.send_replace(());
        }
    }

    /// Whatever concerns the flags, and a tenant if there is one.
    pub fn subscribe(&self, tenant: Option<&Id>) -> Subscription {
        let tenant = tenant.map(|id| {
            let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
            if tenants.len() >= SWEEP_AT && tenants.len().is_power_of_two() {
                tenants.retain(|_, readers| readers.receiver_count() > 0);
            }
            tenants.entry(id.clone()).or_insert_with(|| watch::Sender::new(())).subscribe()
        });
        Subscription { flags: self.heard.subscribe(), tenant }
    }
}

impl Subscription {
    /// Waits for news.
    pub async fn news(&mut self) {
        let Some(tenant) = &mut self.tenant else {
            let _ = self.flags.changed().await;
            return;
        };
        tokio::select! {
            _ = self.flags.changed() => {}
            _ = tenant.changed() => {}
        }
    }
}
