//! News of flags, tenants and the population, for readers that wait for changes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dezky_core::names::Id;
use tokio::sync::watch;

/// Tells readers that something may have changed for them. A reader then looks for itself, so missed news lose nothing.
#[derive(Debug)]
pub struct News {
    flags: Topic,
    population: Topic,
    tenants: Mutex<HashMap<Id, watch::Sender<()>>>,
}

/// The news that one reader waits for: flags, and either one tenant or the whole population.
#[derive(Debug)]
pub struct Subscription {
    flags: watch::Receiver<()>,
    population: watch::Receiver<()>,
}

/// Commits publish on one side; a task passes that on to the readers, so that waking thousands delays
/// no commit and no answer.
#[derive(Debug)]
struct Topic {
    published: watch::Sender<()>,
    readers: watch::Sender<()>,
}

/// The number of tenants with readers from which tenants without readers are removed.
const SWEEP_AT: usize = 1_024;

/// Readers of the population hear of its changes at most this often: tenants change far more often than flags.
const POPULATION_INTERVAL: Duration = Duration::from_secs(1);

impl Topic {
    fn new() -> Topic {
        Topic { published: watch::Sender::new(()), readers: watch::Sender::new(()) }
    }

    async fn pass_on(&self, interval: Duration) {
        let mut published = self.published.subscribe();
        // News from before this task was running.
        published.mark_changed();
        while published.changed().await.is_ok() {
            self.readers.send_replace(());
            if !interval.is_zero() {
                tokio::time::sleep(interval).await;
            }
        }
    }
}

impl Default for News {
    fn default() -> News {
        News { flags: Topic::new(), population: Topic::new(), tenants: Mutex::default() }
    }
}

impl News {
    /// The flags have changed.
    pub fn flags(&self) {
        self.flags.published.send_replace(());
    }

    /// A tenant or a partner has changed.
    pub fn population(&self) {
        self.population.published.send_replace(());
    }

    /// Passes the news of commits on to readers, for as long as it is polled.
    pub async fn pass_on(&self) {
        tokio::join!(self.flags.pass_on(Duration::ZERO), self.population.pass_on(POPULATION_INTERVAL));
    }

    /// This tenant has changed.
    pub fn tenant(&self, id: &Id) {
        if let Some(readers) = self.tenants.lock().unwrap_or_else(PoisonError::into_inner).get(id) {
            readers.send_replace(());
        }
    }

    /// Subscribes to the flags, and to one tenant; without a tenant, to the whole population.
    pub fn subscribe(&self, tenant: Option<&Id>) -> Subscription {
        let population = match tenant {
            None => self.population.readers.subscribe(),
            Some(id) => {
                let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
                if tenants.len() >= SWEEP_AT && tenants.len().is_power_of_two() {
                    tenants.retain(|_, readers| readers.receiver_count() > 0);
                }
                tenants.entry(id.clone()).or_insert_with(|| watch::Sender::new(())).subscribe()
            }
        };
        Subscription { flags: self.flags.readers.subscribe(), population }
    }
}

impl Subscription {
    /// Waits for news.
    pub async fn news(&mut self) {
        tokio::select! {
            _ = self.flags.changed() => {}
            _ = self.population.changed() => {}
        }
    }
}
