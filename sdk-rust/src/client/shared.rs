//! The state that the client's thread shares with its callers, without locks.

use std::fmt::{self, Debug, Formatter};
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption, Guard};

use super::loaded_snapshot::LoadedSnapshot;
use super::phase::{Phase, PhaseEvent};
use super::subject_cache::SubjectCache;
use super::{ClientEvent, ClientStatus, HandlerId};
use dezky_core::flags::Ruleset;
use dezky_core::names::Digest;

pub(super) type EventHandler = Arc<dyn Fn(&ClientEvent) + Send + Sync>;

/// The shared state. It contains no lock: a process that forks while the thread runs must not leave
/// one locked in its child.
pub(super) struct Shared {
    /// The snapshot in use.
    pub(super) current: ArcSwap<LoadedSnapshot>,
    /// The content of the last-known-good file, until the server has answered.
    pub(super) fallback: ArcSwapOption<LoadedSnapshot>,
    pub(super) subjects: SubjectCache,
    /// The number of the phase.
    phase: AtomicU8,
    created: Instant,
    /// The time when the server last confirmed the rules, in milliseconds since `created`.
    confirmed: AtomicI64,
    handlers: ArcSwap<Vec<(HandlerId, EventHandler)>>,
    next_handler: AtomicU64,
}

impl Shared {
    pub(super) fn new(empty: LoadedSnapshot, handlers: Vec<EventHandler>) -> Shared {
        let shared = Shared {
            current: ArcSwap::from_pointee(empty),
            fallback: ArcSwapOption::empty(),
            subjects: SubjectCache::default(),
            phase: AtomicU8::new(Phase::Connecting as u8),
            created: Instant::now(),
            confirmed: AtomicI64::new(0),
            handlers: ArcSwap::from_pointee(Vec::new()),
            next_handler: AtomicU64::new(0),
        };
        for handler in handlers {
            shared.on(handler);
        }
        shared
    }

    pub(super) fn phase(&self) -> Phase {
        phase_of(self.phase.load(Ordering::Acquire))
    }

    pub(super) fn status(&self) -> ClientStatus {
        self.phase().status()
    }

    /// Moves to the phase after an event. Returns the phase before it.
    pub(super) fn transition(&self, event: PhaseEvent) -> Phase {
        let next = |number| Some(phase_of(number).after(event) as u8);
        let before = self.phase.fetch_update(Ordering::AcqRel, Ordering::Acquire, next);
        phase_of(before.unwrap_or_else(|before| before))
    }

    /// Records that the server confirmed the rules, `age` ago.
    pub(super) fn confirm(&self, age: Duration) {
        let at =
            self.created.elapsed().as_millis() as i64 - i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        self.confirmed.store(at, Ordering::Release);
    }

    /// The time since the server last confirmed the rules.
    pub(super) fn age(&self) -> Duration {
        let age = (self.created.elapsed().as_millis() as i64)
            .saturating_sub(self.confirmed.load(Ordering::Acquire));
        Duration::from_millis(u64::try_from(age).unwrap_or_default())
    }

    pub(super) fn on(&self, handler: EventHandler) -> HandlerId {
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

    /// Removes every handler, and drops what the handlers own.
    pub(super) fn remove_handlers(&self) {
        self.handlers.store(Arc::default());
    }

    /// Calls every handler. A panic in one does not affect the others.
    pub(super) fn emit(&self, event: &ClientEvent) {
        for (_, handler) in self.handlers.load_full().iter() {
            if self.status() == ClientStatus::Closed {
                return;
            }
            let _ = catch_unwind(AssertUnwindSafe(|| handler(event)));
        }
    }
}

fn phase_of(number: u8) -> Phase {
    Phase::ALL.get(usize::from(number)).copied().unwrap_or(Phase::Closed)
}

/// The rules that were in use when [`Client::ruleset`](super::Client::ruleset) was called.
///
/// Dereferences to a [`Ruleset`]. Hold it while several answers must come from one revision, and
/// drop it soon.
///
/// ```no_run
/// # use dezky::{Client, ConnectOptions};
/// # use dezky::flags::Subject;
/// # let options = ConnectOptions::new("https://flags.example", "dzk_example");
/// # let client = Client::connect(options)?;
/// # let subject = Subject::new("t1", "acme", "business").unwrap();
/// let rules = client.ruleset();
/// let (one, other) = (rules.is_enabled("one", &subject), rules.is_enabled("other", &subject));
/// # Ok::<(), dezky::ClientError>(())
/// ```
pub struct CurrentRuleset(pub(super) Guard<Arc<LoadedSnapshot>>);

impl CurrentRuleset {
    /// Returns the SHA-256 of the snapshot's canonical bytes.
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

impl Debug for CurrentRuleset {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let rules: &Ruleset = self;
        formatter.debug_tuple("CurrentRuleset").field(&rules.revision()).finish()
    }
}
