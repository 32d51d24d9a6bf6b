//! What the client's thread holds, and how an answer of the server becomes the rules in use.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use super::fetch::Answer;
use super::held::Held;
use super::http::Http;
use super::settings::Settings;
use super::shared::Shared;
use super::stream::Announcement;
use super::{ClientCode, ClientError, ClientEvent, ClientStatus, PastDeadline, file};
use dezky_core::names::Digest;

/// Tells whoever waits for `connect` how it went.
pub(super) type Report = Box<dyn FnOnce(Result<(), ClientError>) + Send>;

/// Where problems come from: each is one problem until it is solved.
#[derive(Clone, Copy)]
pub(super) enum Source {
    Fetch,
    Stream,
    File,
}

/// One run of the client's thread. All of it happens on that thread.
pub(super) struct Work {
    pub(super) shared: Arc<Shared>,
    pub(super) settings: Arc<Settings>,
    pub(super) http: Http,
    pub(super) report: Cell<Option<Report>>,
    problems: Cell<[Option<ClientCode>; 3]>,
    last_problem: RefCell<Option<ClientError>>,
    /// How many fetches were started, and which of them was answered last.
    pub(super) started: Cell<u64>,
    pub(super) answered: watch::Sender<u64>,
    /// A fetch is asked for, whatever was announced.
    pub(super) is_asked: Cell<bool>,
    /// What was announced since the last fetch was started.
    pub(super) announced: RefCell<Option<Announcement>>,
    pub(super) wanted: Notify,
    /// Where the population stood when the server last said so.
    population: RefCell<Option<String>>,
    /// What the last fetch brought is served, and the server was not told yet.
    pub(super) is_confirming: Cell<bool>,
    pub(super) fetch_attempt: Cell<u32>,
    pub(super) stream_attempt: Cell<u32>,
}

impl Work {
    pub(super) fn new(
        shared: Arc<Shared>,
        settings: Arc<Settings>,
        instance: String,
        report: Option<Report>,
    ) -> Work {
        Work {
            http: Http::new(settings.clone(), instance),
            shared,
            settings,
            report: Cell::new(report),
            problems: Cell::default(),
            last_problem: RefCell::default(),
            started: Cell::new(0),
            answered: watch::Sender::new(0),
            is_asked: Cell::new(false),
            announced: RefCell::default(),
            wanted: Notify::new(),
            population: RefCell::default(),
            is_confirming: Cell::new(false),
            fetch_attempt: Cell::new(0),
            stream_attempt: Cell::new(0),
        }
    }

    /// What there is before the server has said anything.
    pub(super) fn begin(&self) {
        if let Some(path) = &self.settings.file {
            match file::read(path) {
                Ok(None) => {}
                Ok(Some((held, age))) => {
                    self.shared.confirm(age);
                    self.shared.fallback.store(Some(Arc::new(held)));
                }
                Err(error) => self.problem(Source::File, error),
            }
        }
        let Some(snapshot) = &self.settings.snapshot else { return };
        let newer_file = self.shared.fallback.load_full();
        match newer_file.filter(|file| file.rules.revision() >= snapshot.rules.revision()) {
            Some(file) => self.shared.current.store(file),
            None => {
                self.shared.confirm(Duration::ZERO);
                self.shared.current.store(snapshot.clone());
            }
        }
        self.shared.turn(ClientStatus::Ready);
        self.shared.emit(&ClientEvent::Ready { revision: self.revision() });
        self.tell(Ok(()));
    }

    /// Takes what the server says is out; whether that is something else than was in use.
    pub(super) fn accept(&self, answer: Answer, known: Option<Arc<Held>>) -> bool {
        let before = self.shared.current.load_full();
        let (after, is_news) = match (answer, known) {
            (Answer::Other(held), _) => {
                let is_news = held.digest != before.digest || held.history != before.history;
                (Arc::new(held), is_news)
            }
            (Answer::Same { history }, Some(known)) if history.is_some() && history != known.history => {
                (Arc::new(known.in_history(history)), true)
            }
            (Answer::Same { .. }, Some(known)) => (known, false),
            (Answer::Same { .. }, None) => return false,
        };
        let is_swap = !before.is_published || after.digest != before.digest;
        if is_swap || is_news {
            self.shared.current.store(after.clone());
            self.shared.fallback.store(None);
        }
        self.shared.confirm(Duration::ZERO);
        let status = self.shared.turn(ClientStatus::Ready);
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
        if is_news && let Some(path) = &self.settings.file {
            match file::write(path, &after) {
                Ok(()) => self.solved(Source::File),
                Err(error) => self.problem(Source::File, error),
            }
        }
        self.tell(Ok(()));
        is_swap
    }

    /// There was no answer in time, or there will be none: what the caller wants then.
    pub(super) fn do_without(&self, error: ClientError) -> Result<(), ClientError> {
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

    /// Before the deadline: a start goes on without the server, or fails, if there is no hope that waiting helps.
    pub(super) fn start_without(&self, error: ClientError) -> Result<(), ClientError> {
        if !self.is_awaited() {
            return Ok(());
        }
        let has_file =
            self.settings.past_deadline == PastDeadline::File && self.shared.fallback.load().is_some();
        match error.code {
            ClientCode::KeyRefused => self.do_without(error)?,
            ClientCode::Unreachable if has_file => {
                self.do_without(error)?;
                self.grow_stale();
            }
            _ => return Ok(()),
        }
        self.tell(Ok(()));
        Ok(())
    }

    /// The last request, within this time, if the server knows this client.
    pub(super) async fn sign_off(&self, time: Duration) {
        let [fetch, ..] = self.problems.get();
        if fetch.is_none() && *self.answered.borrow() > 0 {
            let current = self.shared.current.load_full();
            let _ = timeout(time, self.http.sign_off(&current.digest)).await;
        }
    }

    /// Has not been confirmed for a while.
    pub(super) fn grow_stale(&self) {
        self.shared.turn(ClientStatus::Stale);
        self.shared.emit(&ClientEvent::Stale { age: self.shared.age() });
    }

    /// Subjects expire when the population moved. A slice does not tell of it: its digest moves when its tenant is decided otherwise.
    pub(super) fn note_population(&self, population: Option<u64>, digest: Option<&Digest>) {
        let mark = if self.settings.is_slice {
            let current = self.shared.current.load();
            Some(digest.unwrap_or(&current.digest).as_str().to_owned())
        } else {
            population.map(|population| population.to_string())
        };
        if mark.is_some() && *self.population.borrow() != mark {
            self.population.replace(mark);
            self.shared.subjects.expire();
        }
    }

    /// Whether `connect` is still waiting.
    pub(super) fn is_awaited(&self) -> bool {
        let report = self.report.take();
        let is_awaited = report.is_some();
        self.report.set(report);
        is_awaited
    }

    pub(super) fn tell(&self, outcome: Result<(), ClientError>) {
        if let Some(report) = self.report.take() {
            report(outcome);
        }
    }

    pub(super) fn last_problem(&self) -> Option<ClientError> {
        self.last_problem.borrow().clone()
    }

    /// Notes a problem, and tells of it where it is not one that is known.
    pub(super) fn problem(&self, source: Source, error: ClientError) {
        self.last_problem.replace(Some(error.clone()));
        let mut problems = self.problems.get();
        let is_known = problems.contains(&Some(error.code));
        if let Some(problem) = problems.get_mut(source as usize) {
            *problem = Some(error.code);
        }
        self.set_problems(problems);
        if !is_known {
            self.shared.emit(&ClientEvent::Error { error, fatal: false });
        }
    }

    pub(super) fn solved(&self, source: Source) {
        let mut problems = self.problems.get();
        if let Some(problem) = problems.get_mut(source as usize) {
            *problem = None;
        }
        self.set_problems(problems);
    }

    fn set_problems(&self, problems: [Option<ClientCode>; 3]) {
        let [fetch, ..] = problems;
        self.shared.is_away.store(fetch.is_some(), Ordering::Release);
        self.problems.set(problems);
    }

    fn revision(&self) -> u64 {
        self.shared.current.load().rules.revision()
    }
}
