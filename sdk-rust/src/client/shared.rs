//! What the client's thread and everybody else look at, without waiting for one another.

use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::time::Duration;
use std::time::Instant;

use arc_swap::{ArcSwap, ArcSwapOption, Guard};

use super::held::Held;
use super::subjects::Subjects;
use super::{ClientEvent, ClientStatus, HandlerId};
use dezky_core::flags::Ruleset;
use dezky_core::names::Digest;

pub(super) type Handler = Arc<dyn Fn(&ClientEvent) + Send + Sync>;

/// No part of it is behind a lock, so that a process that forks while the thread runs leaves none locked in its child.
pub(super) struct Shared {
    pub(super) current: ArcSwap<Held>,
    /// What the last-known-good file held, until something is served.
    pub(super) fallback: ArcSwapOption<Held>,
    pub(super) subjects: Subjects,
    /// The last fetch has failed.
    pub(super) is_away: AtomicBool,
    status: AtomicU8,
    born: Instant,
    /// When the rules were last known to be those of the server, in milliseconds since `born`.
    confirmed: AtomicI64,
    handlers: ArcSwap<Vec<(HandlerId, Handler)>>,
    next_handler: AtomicU64,
}

impl Shared {
    pub(super) fn new(nothing: Held, handlers: Vec<Handler>) -> Shared {
        let shared = Shared {
            current: ArcSwap::from_pointee(nothing),
            fallback: ArcSwapOption::empty(),
            subjects: Subjects::default(),
            is_away: AtomicBool::new(false),
            status: AtomicU8::new(ClientStatus::Connecting as u8),
            born: Instant::now(),
            confirmed: AtomicI64::new(0),
            handlers: ArcSwap::from_pointee(Vec::new()),
            next_handler: AtomicU64::new(0),
        };
        for handler in handlers {
            shared.on(handler);
        }
        shared
    }

    pub(super) fn status(&self) -> ClientStatus {
        let status = self.status.load(Ordering::Acquire) as usize;
        ClientStatus::ALL.get(status).copied().unwrap_or(ClientStatus::Closed)
    }

    /// Goes over into another state, and tells which it was in: out of `Closed` there is no way.
    pub(super) fn turn(&self, status: ClientStatus) -> ClientStatus {
        let closed = ClientStatus::Closed as u8;
        let turned = self.status.fetch_update(Ordering::AcqRel, Ordering::Acquire, |before| {
            (before != closed).then_some(status as u8)
        });
        let before = turned.unwrap_or_else(|before| before) as usize;
        ClientStatus::ALL.get(before).copied().unwrap_or(ClientStatus::Closed)
    }

    /// The rules are those of the server, or were `age` ago.
    pub(super) fn confirm(&self, age: Duration) {
        let at = self.born.elapsed().as_millis() as i64 - i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        self.confirmed.store(at, Ordering::Release);
    }

    /// How long ago the rules were known to be those of the server.
    pub(super) fn age(&self) -> Duration {
        let age =
            (self.born.elapsed().as_millis() as i64).saturating_sub(self.confirmed.load(Ordering::Acquire));
        Duration::from_millis(u64::try_from(age).unwrap_or_default())
    }

    pub(super) fn on(&self, handler: Handler) -> HandlerId {
        let id = HandlerId(self.next_handler.fetch_add(1, Ordering::Relaxed));
        self.handlers.rcu(|handlers| {
            let mut handlers = Vec::clone(handlers);
            handlers.push((id, handler.clone()));
            handlers
        });
        id
    }

    pub(super) fn off(&self, id: HandlerId) {
        self.handlers.rcu(|handlers| {
            let mut handlers = Vec::clone(handlers);
            handlers.retain(|(each, _)| *each != id);
            handlers
        });
    }

    /// Lets go of every handler and what it holds.
    pub(super) fn off_all(&self) {
        self.handlers.store(Arc::default());
    }

    /// Calls every handler. What one of them does to itself concerns nobody else.
    pub(super) fn emit(&self, event: &ClientEvent) {
        for (_, handler) in self.handlers.load_full().iter() {
            if self.status() == ClientStatus::Closed {
                return;
            }
            let _ = catch_unwind(AssertUnwindSafe(|| handler(event)));
        }
    }
}

/// The rules at the moment when it was made, as a [`Ruleset`]: hold it for as long as one revision is to be seen, and not much longer.
///
/// ```no_run
/// # use dezky::{Client, ConnectOptions};
/// # use dezky::flags::Subject;
/// # let client = Client::connect(ConnectOptions::new("https://flags.example", "dzk_example"))?;
/// let rules = client.ruleset();
/// let subject = Subject::new("t1", "acme", "business").unwrap();
/// let (one, other) = (rules.is_enabled("one", &subject), rules.is_enabled("other", &subject));
/// # Ok::<(), dezky::ClientError>(())
/// ```
pub struct CurrentRuleset(pub(super) Guard<Arc<Held>>);

impl CurrentRuleset {
    /// The SHA-256 of the snapshot's canonical form.
    ///
    /// ```no_run
    /// # use dezky::{Client, ConnectOptions};
    /// # let client = Client::connect(ConnectOptions::new("https://flags.example", "dzk_example"))?;
    /// assert_eq!(client.ruleset().digest().as_str().len(), 64);
    /// # Ok::<(), dezky::ClientError>(())
    /// ```
    pub fn digest(&self) -> &Digest {
        &self.0.digest
    }
}

impl Deref for CurrentRuleset {
    type Target = Ruleset;

    #[inline]
    fn deref(&self) -> &Ruleset {
        &self.0.rules
    }
}

impl std::fmt::Debug for CurrentRuleset {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rules: &Ruleset = self;
        formatter.debug_tuple("CurrentRuleset").field(&rules.revision()).finish()
    }
}
