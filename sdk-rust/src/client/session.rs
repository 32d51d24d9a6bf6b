//! The state of the client's thread, and how a fetched snapshot becomes the rules in use.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use super::fetch::Fetched;
use super::http::Http;
use super::loaded_snapshot::LoadedSnapshot;
use super::phase::{Phase, PhaseEvent};
use super::settings::ClientSettings;
use super::shared::Shared;
use super::stream::Announcement;
use super::{ClientCode, ClientError, ClientEvent, ClientStatus, PastDeadline, file};
use dezky_core::names::Digest;

/// Reports the result of `connect` to its caller.
pub(super) type Report = Box<dyn FnOnce(Result<(), ClientError>) + Send>;

/// A source of problems. Each source has at most one problem at a time.
#[derive(Clone, Copy)]
pub(super) enum ProblemSource {
    Fetch,
    Stream,
    File,
}

/// One run of the client's thread. Only that thread uses it.
pub(super) struct Session {
    pub(super) shared: Arc<Shared>,
    pub(super) settings: Arc<ClientSettings>,
    pub(super) http: Http,
    /// The caller of `connect`, while it waits.
    report: Cell<Option<Report>>,
    /// The current problem of each source.
    problems: Cell<[Option<ClientCode>; 3]>,
    last_problem: RefCell<Option<ClientError>>,
    /// The number of fetches that were started.
    pub(super) started: Cell<u64>,
    /// The number of the last fetch that succeeded.
    pub(super) succeeded: watch::Sender<u64>,
    /// `true` if a fetch is needed, no matter what was announced.
    pub(super) is_fetch_needed: Cell<bool>,
    /// The last announcement since the last fetch was started.
    pub(super) announced: RefCell<Option<Announcement>>,
    /// Wakes the fetch loop.
    pub(super) wake: Notify,
    /// The last population that the server announced; for a slice, its digest.
    population: RefCell<Option<String>>,
    /// `true` if the last fetch swapped the rules, and the server does not know yet.
    pub(super) is_confirming: Cell<bool>,
    pub(super) fetch_attempt: Cell<u32>,
    pub(super) stream_attempt: Cell<u32>,
}

impl Session {
    pub(super) fn new(
        shared: Arc<Shared>,
        settings: Arc<ClientSettings>,
        instance: String,
        report: Option<Report>,
    ) -> Session {
        Session {
            http: Http::new(settings.clone(), instance),
            shared,
            settings,
            report: Cell::new(report),
            problems: Cell::default(),
            last_problem: RefCell::default(),
            started: Cell::new(0),
            succeeded: watch::Sender::new(0),
            is_fetch_needed: Cell::new(false),
            announced: RefCell::default(),
            wake: Notify::new(),
            population: RefCell::default(),
            is_confirming: Cell::new(false),
            fetch_attempt: Cell::new(0),
            stream_attempt: Cell::new(0),
        }
    }

    /// Loads the file and the given snapshot, before the server has answered.
    pub(super) fn begin(&self) {
        if let Some(path) = &self.settings.file {
            match file::read(path) {
                Ok(None) => {}
                Ok(Some((snapshot, age))) => {
                    self.shared.confirm(age);
                    self.shared.fallback.store(Some(Arc::new(snapshot)));
                }
                Err(error) => self.report_problem(ProblemSource::File, error),
            }
        }
        let Some(given) = &self.settings.snapshot else { return };
        let newer_file = self.shared.fallback.load_full();
        match newer_file.filter(|file| file.rules.revision() >= given.rules.revision()) {
            Some(file) => self.shared.current.store(file),
            None => {
                self.shared.confirm(Duration::ZERO);
                self.shared.current.store(given.clone());
            }
        }
        self.shared.transition(PhaseEvent::Started);
        self.shared.emit(&ClientEvent::Ready { revision: self.revision() });
        self.finish_connect(Ok(()));
    }

    /// Takes over the result of a fetch. Returns whether other rules are in use than before.
    pub(super) fn accept(&self, fetched: Fetched, known: Option<Arc<LoadedSnapshot>>) -> bool {
        let before = self.shared.current.load_full();
        let (after, is_new) = match (fetched, known) {
            (Fetched::Changed(snapshot), _) => {
                let is_new = snapshot.digest != before.digest || snapshot.history != before.history;
                (Arc::new(snapshot), is_new)
            }
            (Fetched::Unchanged { history }, Some(known))
                if history.is_some() && history != known.history =>
            {
                (Arc::new(known.with_history(history)), true)
            }
            (Fetched::Unchanged { .. }, Some(known)) => (known, false),
            (Fetched::Unchanged { .. }, None) => return false,
        };
        let is_swap = !before.is_published || after.digest != before.digest;
        if is_swap || is_new {
            self.shared.current.store(after.clone());
            self.shared.fallback.store(None);
        }
        self.shared.confirm(Duration::ZERO);
        let status = self.shared.transition(PhaseEvent::Succeeded).status();
        let revision = after.rules.revision();
        if matches!(status, ClientStatus::Connecting | ClientStatus::Stale | ClientStatus::Refused) {
            self.shared.emit(&ClientEvent::Ready { revision });
        }
        if is_swap && status != ClientStatus::Connecting {
            let keys = after.changed_keys(&before);
            if !keys.is_empty() {
                self.shared.emit(&ClientEvent::Change { revision, keys });
            }
        }
        if is_new && let Some(path) = &self.settings.file {
            match file::write(path, &after) {
                Ok(()) => self.clear_problem(ProblemSource::File),
                Err(error) => self.report_problem(ProblemSource::File, error),
            }
        }
        self.finish_connect(Ok(()));
        is_swap
    }

    /// Starts without the server, as `past_deadline` says; returns the error if that is not
    /// possible.
    pub(super) fn start_without_server(&self, error: ClientError) -> Result<(), ClientError> {
        match (self.settings.past_deadline, self.shared.fallback.load_full()) {
            (PastDeadline::Off, _) => Ok(()),
            (PastDeadline::File, Some(file)) => {
                self.shared.current.store(file);
                self.shared.emit(&ClientEvent::Ready { revision: self.revision() });
                Ok(())
            }
            _ => Err(error),
        }
    }

    /// Ends the start before its deadline if waiting does not help: the key is refused, or there is
    /// a file and the server cannot be reached. Does nothing if `connect` has already returned.
    pub(super) fn start_early(&self, error: ClientError) -> Result<(), ClientError> {
        if !self.is_awaited() {
            return Ok(());
        }
        let has_file =
            self.settings.past_deadline == PastDeadline::File && self.shared.fallback.load().is_some();
        match error.code {
            ClientCode::KeyRefused => self.start_without_server(error)?,
            ClientCode::Unreachable if has_file => {
                self.start_without_server(error)?;
                self.expire();
            }
            _ => return Ok(()),
        }
        self.finish_connect(Ok(()));
        Ok(())
    }

    /// Sends the last request of a closed client, if its last fetch succeeded.
    pub(super) async fn sign_off(&self, limit: Duration) {
        if self.shared.phase() == Phase::SigningOff {
            let current = self.shared.current.load_full();
            let _ = timeout(limit, self.http.sign_off(&current.digest)).await;
        }
    }

    /// Marks the rules as stale and emits the event.
    pub(super) fn expire(&self) {
        self.shared.transition(PhaseEvent::Expired);
        self.shared.emit(&ClientEvent::Stale { age: self.shared.age() });
    }

    /// Expires the cached subjects if the population changed.
    ///
    /// The server does not announce the population of a slice. There the digest serves instead: it
    /// changes with every decision of the tenant.
    pub(super) fn note_population(&self, population: Option<u64>, digest: Option<&Digest>) {
        let latest = if self.settings.is_slice {
            let current = self.shared.current.load();
            Some(digest.unwrap_or(&current.digest).as_str().to_owned())
        } else {
            population.map(|population| population.to_string())
        };
        if latest.is_some() && *self.population.borrow() != latest {
            self.population.replace(latest);
            self.shared.subjects.expire();
        }
    }

    /// Returns whether the caller of `connect` still waits.
    pub(super) fn is_awaited(&self) -> bool {
        let report = self.report.take();
        let is_awaited = report.is_some();
        self.report.set(report);
        is_awaited
    }

    /// Makes `connect` return, if its caller still waits.
    pub(super) fn finish_connect(&self, result: Result<(), ClientError>) {
        if let Some(report) = self.report.take() {
            report(result);
        }
    }

    pub(super) fn last_problem(&self) -> Option<ClientError> {
        self.last_problem.borrow().clone()
    }

    /// Records the problem of a source. Emits an event unless some source already has this code.
    pub(super) fn report_problem(&self, source: ProblemSource, error: ClientError) {
        self.last_problem.replace(Some(error.clone()));
        let mut problems = self.problems.get();
        let is_reported = problems.contains(&Some(error.code));
        if let Some(problem) = problems.get_mut(source as usize) {
            *problem = Some(error.code);
        }
        self.problems.set(problems);
        if !is_reported {
            self.shared.emit(&ClientEvent::Error { error, fatal: false });
        }
    }

    pub(super) fn clear_problem(&self, source: ProblemSource) {
        let mut problems = self.problems.get();
        if let Some(problem) = problems.get_mut(source as usize) {
            *problem = None;
        }
        self.problems.set(problems);
    }

    fn revision(&self) -> u64 {
        self.shared.current.load().rules.revision()
    }
}
