//! Notifies listeners of changed flags, tenants and population.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dezky_core::names::Id;
use tokio::sync::watch;

/// Wakes listeners after changes. A listener then reads the current state, so merged notifications
/// lose nothing.
#[derive(Debug)]
pub(crate) struct ChangeNotifier {
    flags: Topic,
    population: Topic,
    tenants: Mutex<HashMap<Id, watch::Sender<()>>>,
}

/// Waits for changes of flags, and of one tenant or the whole population.
#[derive(Debug)]
pub(crate) struct Listener {
    flags: watch::Receiver<()>,
    population: watch::Receiver<()>,
}

/// One kind of change. Commits publish, and a background task forwards to the listeners, so that
/// waking thousands of listeners delays no commit.
#[derive(Debug)]
struct Topic {
    published: watch::Sender<()>,
    listeners: watch::Sender<()>,
}

/// The table size from which tenants without listeners are removed, at every power of two.
const SWEEP_AT: usize = 1_024;

/// The least interval between notifications of the population, because tenants change far more
/// often than flags.
const POPULATION_INTERVAL: Duration = Duration::from_secs(1);

impl Topic {
    fn new() -> Topic {
        Topic { published: watch::Sender::new(()), listeners: watch::Sender::new(()) }
    }

    async fn forward(&self, interval: Duration) {
        let mut published = self.published.subscribe();
        // Forwards what was published before this task ran.
        published.mark_changed();
        while published.changed().await.is_ok() {
            self.listeners.send_replace(());
            if !interval.is_zero() {
                tokio::time::sleep(interval).await;
            }
        }
    }
}

impl Default for ChangeNotifier {
    fn default() -> ChangeNotifier {
        ChangeNotifier { flags: Topic::new(), population: Topic::new(), tenants: Mutex::default() }
    }
}

impl ChangeNotifier {
    /// Announces a change of flags.
    pub(crate) fn notify_flags(&self) {
        self.flags.published.send_replace(());
    }

    /// Announces a change of a tenant or partner.
    pub(crate) fn notify_population(&self) {
        self.population.published.send_replace(());
    }

    /// Forwards announcements to listeners; runs forever.
    pub(crate) async fn forward(&self) {
        tokio::join!(self.flags.forward(Duration::ZERO), self.population.forward(POPULATION_INTERVAL));
    }

    /// Announces a change of one tenant to its listeners.
    pub(crate) fn notify_tenant(&self, id: &Id) {
        if let Some(listeners) = self.tenants.lock().unwrap_or_else(PoisonError::into_inner).get(id) {
            listeners.send_replace(());
        }
    }

    /// Returns a listener for the flags and one tenant; without a tenant, for the whole population.
    pub(crate) fn listen(&self, tenant: Option<&Id>) -> Listener {
        let population = match tenant {
            None => self.population.listeners.subscribe(),
            Some(id) => {
                let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
                if tenants.len() >= SWEEP_AT && tenants.len().is_power_of_two() {
                    tenants.retain(|_, listeners| listeners.receiver_count() > 0);
                }
                tenants.entry(id.clone()).or_insert_with(|| watch::Sender::new(())).subscribe()
            }
        };
        Listener { flags: self.flags.listeners.subscribe(), population }
    }
}

impl Listener {
    /// Completes at the next change.
    pub(crate) async fn changed(&mut self) {
        tokio::select! {
            _ = self.flags.changed() => {}
            _ = self.population.changed() => {}
        }
    }
}
