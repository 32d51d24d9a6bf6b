//! What every store must keep to, written against the trait alone.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use dezky_server::store::{Observer, RecordChange, Store};

mod lists;
mod log;
mod pages;
mod races;
mod receipts;
mod requires;
mod sums;
mod tenants;
mod writes;

type Open = dyn Fn(Box<dyn Observer>) -> Arc<dyn Store> + Send;

/// A place where a store keeps its data. Opened again after the store is gone, the data is there.
pub struct Place {
    open: Box<Open>,
}

impl Place {
    pub fn new(open: impl Fn(Box<dyn Observer>) -> Arc<dyn Store> + Send + 'static) -> Place {
        Place { open: Box::new(open) }
    }

    pub fn open(&self) -> Arc<dyn Store> {
        self.observed().0
    }

    pub fn observed(&self) -> (Arc<dyn Store>, Seen) {
        let seen = Seen::default();
        ((self.open)(Box::new(seen.clone())), seen)
    }
}

/// What the observer was told.
#[derive(Clone, Default)]
pub struct Seen(Arc<Mutex<Vec<(u64, RecordChange)>>>);

impl Seen {
    pub fn revisions(&self) -> Vec<u64> {
        self.0.lock().unwrap().iter().map(|(revision, _)| *revision).collect()
    }

    pub fn entries(&self) -> Vec<(u64, RecordChange)> {
        self.0.lock().unwrap().clone()
    }
}

impl Observer for Seen {
    fn committed(&mut self, entries: &[(u64, RecordChange)]) {
        self.0.lock().unwrap().extend(entries.iter().cloned());
    }
}

type Test = fn(Place) -> Pin<Box<dyn Future<Output = ()>>>;

macro_rules! table {
    ($($module:ident: $($name:ident)*;)*) => {
        const TESTS: &[(&str, Test)] = &[
            $($((concat!(stringify!($module), "::", stringify!($name)), |place| Box::pin($module::$name(place))),)*)*
        ];
    };
}

table! {
    writes: each_kind_is_made_read_changed_and_removed a_stale_writer_changes_nothing names_are_taken_once
        names_are_free_again addresses_that_are_nobodys
        identities_are_of_an_origin secrets_of_keys_are_kept a_write_is_whole_or_nothing flags_are_kept_without_history
        what_was_written_survives_a_restart uses_of_keys_are_no_change
        flags_have_a_revision_and_may_be_killed an_empty_store_is_empty;
    requires: an_active_partner live_tenants an_active_admin an_unchanged_world an_actors_rights
        rights_come_before_receipts a_key_that_exists;
    receipts: it_is_found_again it_comes_before_everything_else a_failed_write_leaves_none;
    log: it_tells_what_happened every_filter_and_page memberships_are_shown_to_their_tenants;
    tenants: every_order_filter_and_page texts_of_every_kind dense_and_rare_texts totals groups;
    lists: partners users subscriptions;
    pages: nothing_that_stays_is_skipped_or_repeated;
    sums: they_are_what_core_says an_overflow_is_an_error;
    races: nothing_is_written_after_rights_are_gone one_winner_a_version one_slug_one_tenant one_key_one_effect the_observer_is_told_first
        what_is_acknowledged_is_read;
}

/// Runs every test of the contract, each on a store of its own.
pub fn run(make_store: impl Fn() -> Place) {
    let threads: Vec<_> = TESTS
        .iter()
        .map(|(name, test)| {
            let place = make_store();
            let run = move || {
                let runtime =
                    tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build();
                runtime.unwrap().block_on(test(place));
            };
            (name, std::thread::Builder::new().name((*name).to_owned()).spawn(run).unwrap())
        })
        .collect();
    let failed: Vec<_> =
        threads.into_iter().filter_map(|(name, thread)| thread.join().err().map(|_| name)).collect();
    assert!(failed.is_empty(), "{failed:?}");
}
