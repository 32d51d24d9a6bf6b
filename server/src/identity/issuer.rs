//! One issuer's keys, refreshed by one background task.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use super::fetch::IssuerSource;
use super::keys::Keys;

/// The first backoff before any keys were fetched. Server and issuer often start together.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Issuer {
    source: IssuerSource,
    /// The current keys. The lock is held only to copy or replace the pointer.
    keys: RwLock<Option<Arc<Keys>>>,
    progress: watch::Sender<FetchProgress>,
}

/// The state of the background task. A request waits for it, and triggers an attempt with
/// `is_running`.
#[derive(Debug, Default)]
struct FetchProgress {
    is_running: bool,
    finished: u64,
    last_start: Option<Instant>,
    /// The error of the last attempt.
    failure: Option<String>,
}

impl Issuer {
    pub(super) fn new(source: IssuerSource) -> Issuer {
        Issuer { source, keys: RwLock::default(), progress: watch::Sender::default() }
    }

    pub(super) fn name(&self) -> &str {
        &self.source.issuer
    }

    /// The keys of the last successful fetch, whatever their age.
    pub(super) fn keys(&self) -> Option<Arc<Keys>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn readiness(&self) -> Result<(), String> {
        let state = match self.keys() {
            Some(keys) if keys.are_trusted() => return Ok(()),
            Some(_) => "the last successful fetch is too old for",
            None => "no keys have been fetched from",
        };
        let failure = self.progress.borrow().failure.clone();
        Err(format!("{state} {}: {}", self.name(), failure.as_deref().unwrap_or("no attempt has finished")))
    }

    /// Fetches and parses the keys without storing them.
    pub(super) async fn probe(&self) -> Result<(), String> {
        let text = self.source.key_set().await?;
        self.read(text).map(|_| ())
    }

    /// Waits for the running attempt. If none runs, triggers one, unless the last started within
    /// the cooldown. Dropping this future does not cancel the attempt.
    pub(super) async fn refresh(&self) {
        let mut awaited = None;
        self.progress.send_if_modified(|progress| {
            let is_due =
                progress.last_start.is_none_or(|start| start.elapsed() >= self.source.timing.cooldown);
            let is_triggered = !progress.is_running && is_due;
            progress.is_running |= is_triggered;
            awaited = progress.is_running.then_some(progress.finished + 1);
            is_triggered
        });
        let Some(awaited) = awaited else { return };
        let mut progress = self.progress.subscribe();
        // After a timeout, the current keys decide.
        let _ = timeout(self.source.timing.timeout, progress.wait_for(|now| now.finished >= awaited)).await;
    }

    /// Fetches the keys whenever they are due or a request triggers it, forever.
    pub(super) async fn follow(self: Arc<Self>) {
        let mut progress = self.progress.subscribe();
        let mut due = Instant::now();
        let mut backoff = FIRST_BACKOFF.min(self.source.timing.cooldown);
        loop {
            let _ = timeout_at(due, progress.wait_for(|now| now.is_running)).await;
            let start = Instant::now();
            // Set before sending, so that a failed attempt starts the cooldown too.
            self.progress.send_modify(|progress| {
                progress.is_running = true;
                progress.last_start = Some(start);
            });
            let outcome = self.source.key_set().await.and_then(|text| self.replace(text));
            due = start + self.pause(outcome.is_ok(), &mut backoff);
            self.finish(outcome);
        }
    }

    /// The time from the start of an attempt to the next.
    fn pause(&self, is_success: bool, backoff: &mut Duration) -> Duration {
        let timing = &self.source.timing;
        if is_success {
            return timing.max_age.max(timing.cooldown);
        }
        if self.keys().is_some() {
            return timing.cooldown;
        }
        let pause = *backoff;
        *backoff = timing.cooldown.min(pause * 2);
        pause
    }

    /// Replaces the keys with a fetched key set. A key set that cannot be parsed changes nothing.
    fn replace(&self, text: Vec<u8>) -> Result<(), String> {
        let old = self.keys();
        if let Some(same) = old.as_ref().filter(|old| old.is_same(&text)) {
            same.renew();
            return Ok(());
        }
        let keys = self.read(text)?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(keys));
        if let Some(old) = old {
            old.withdraw();
        }
        Ok(())
    }

    fn read(&self, text: Vec<u8>) -> Result<Keys, String> {
        let keys = Keys::read(text, &self.source.policy, self.source.timing.hard_cap);
        keys.map_err(|error| format!("the key set is not valid: {error}"))
    }

    /// Wakes the waiting requests, and logs a change of the outcome.
    fn finish(&self, outcome: Result<(), String>) {
        let is_first = self.progress.borrow().finished == 0;
        let failure = outcome.err();
        let before = self.progress.borrow().failure.clone();
        let issuer = self.name();
        match &failure {
            Some(reason) if before != failure => {
                tracing::warn!(issuer, reason, "cannot fetch the issuer's keys")
            }
            None if is_first || before.is_some() => tracing::info!(issuer, "fetched the issuer's keys"),
            _ => {}
        }
        self.progress.send_modify(|progress| {
            progress.is_running = false;
            progress.finished += 1;
            progress.failure = failure;
        });
    }
}
