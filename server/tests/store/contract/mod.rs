//! The contract of every store, tested through the `Store` trait alone.

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

/// A location of data. A store that is opened there again finds the data of the store before it.
pub struct DataLocation {
    open: Box<Open>,
}

impl DataLocation {
    pub fn new(open: impl Fn(Box<dyn Observer>) -> Arc<dyn Store> + Send + 'static) -> DataLocation {
        DataLocation { open: Box::new(open) }
    }

    pub fn open(&self) -> Arc<dyn Store> {
        self.observed().0
    }

    pub fn observed(&self) -> (Arc<dyn Store>, RecordingObserver) {
        let observer = RecordingObserver::default();
        ((self.open)(Box::new(observer.clone())), observer)
    }
}

/// An observer that records the changes that it receives.
#[derive(Clone, Default)]
pub struct RecordingObserver(Arc<Mutex<Vec<(u64, RecordChange)>>>);

impl RecordingObserver {
    pub fn revisions(&self) -> Vec<u64> {
        self.0.lock().unwrap().iter().map(|(revision, _)| *revision).collect()
    }

    pub fn entries(&self) -> Vec<(u64, RecordChange)> {
        self.0.lock().unwrap().clone()
    }
}

impl Observer for RecordingObserver {
    fn committed(&mut self, entries: &[(u64, RecordChange)]) {
        self.0.lock().unwrap().extend(entries.iter().cloned());
    }
}

type Test = fn(DataLocation) -> Pin<Box<dyn Future<Output = ()>>>;

macro_rules! table {
    ($($module:ident: $($name:ident)*;)*) => {
        const TESTS: &[(&str, Test)] = &[
            $($((concat!(stringify!($module), "::", stringify!($name)), |location| Box::pin($module::$name(location))),)*)*
        ];
    };
}

table! {
    writes:
        each_kind_is_created_read_updated_and_deleted a_stale_writer_changes_nothing names_are_unique
        names_of_deleted_records_are_free unverified_addresses_are_not_reserved
        identities_are_unique_per_issuer_origin both_secrets_of_a_key_are_kept_and_unique
        a_write_is_atomic flags_are_stored_without_history all_data_survives_a_restart
        uses_of_keys_are_not_logged the_initial_state_holds_the_flags_revision_and_killed_flags
        an_empty_store_is_empty;
    requires:
        a_partner_must_be_active tenants_must_be_live an_active_admin_must_remain
        the_world_must_be_unchanged an_actors_rights_must_be_current
        rights_are_checked_before_receipts an_acting_key_must_exist_and_be_unexpired;
    receipts:
        a_receipt_is_found_by_holder_and_key a_receipt_is_checked_before_the_write
        a_failed_write_stores_no_receipt;
    log:
        the_log_matches_the_writes every_filter_returns_its_changes_page_by_page
        membership_changes_appear_in_the_logs_of_their_tenants;
    tenants:
        every_order_and_filter_returns_its_tenants_page_by_page
        every_kind_of_search_text_finds_its_tenants frequent_and_rare_search_texts_find_their_tenants
        totals_count_tenants_by_status groups_find_their_live_tenants;
    lists:
        partners_are_listed_by_slug users_are_listed_by_last_sign_in
        subscriptions_are_listed_newest_first;
    pages: records_that_stay_are_never_skipped_or_repeated;
    sums: sums_equal_the_sums_of_core an_overflow_is_an_error;
    races:
        revoked_rights_stop_all_later_writes one_writer_wins_each_version a_slug_goes_to_one_tenant
        an_idempotency_key_takes_effect_once the_observer_sees_a_write_before_the_writer
        acknowledged_writes_are_readable;
}

/// Runs every test of the contract, each in its own thread on its own store.
pub fn run(new_location: impl Fn() -> DataLocation) {
    let threads: Vec<_> = TESTS
        .iter()
        .map(|(name, test)| {
            let location = new_location();
            let run = move || {
                let runtime =
                    tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build();
                runtime.unwrap().block_on(test(location));
            };
            (name, std::thread::Builder::new().name((*name).to_owned()).spawn(run).unwrap())
        })
        .collect();
    let failed: Vec<_> =
        threads.into_iter().filter_map(|(name, thread)| thread.join().err().map(|_| name)).collect();
    assert!(failed.is_empty(), "{failed:?}");
}
