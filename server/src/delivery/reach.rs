//! Which instances evaluate with what: what they say of themselves, remembered for a while. Nothing about people is kept.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use dezky_core::{Digest, Environment, Id, Timestamp};
use tokio::sync::Notify;

/// An instance that has not been heard of for so long counts as silent, never as reached. Clients report at least every 36 seconds.
const LATELY: Duration = Duration::from_secs(90);

/// An instance that has been silent for so long is forgotten.
const REMEMBERED: Duration = Duration::from_secs(600);

/// Instances of one caller that are remembered.
const MAX_PER_CALLER: usize = 20_000;

/// Instances that are remembered in all.
const MAX_INSTANCES: usize = 100_000;

/// What an instance evaluates with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Watching {
    /// The environment that its credential is for.
    pub environment: Environment,
    /// The tenant whose slice it is; nothing for the whole snapshot.
    pub tenant: Option<Id>,
}

/// What an instance said last.
#[derive(Debug, Clone)]
pub struct Heard {
    /// What it follows.
    pub watching: Watching,
    /// The digest of what it evaluates with; nothing before it has anything.
    pub digest: Option<Digest>,
    /// The machine key that it came with.
    pub key: Option<Id>,
    /// When.
    pub at: Timestamp,
}

/// An instance.
#[derive(Debug, Clone)]
pub struct Instance {
    /// What it calls itself.
    pub name: String,
    /// What it said last.
    pub heard: Heard,
    /// Whether that was lately.
    pub lately: bool,
}

/// Everything that was heard.
#[derive(Default)]
pub struct Reach {
    hasher: RandomState,
    callers: Mutex<Callers>,
    news: Notify,
}

#[derive(Default)]
struct Callers {
    // By whoever the instances belong to, so that nobody can speak for another's.
    instances: HashMap<u64, HashMap<Box<str>, (Instant, Heard)>>,
    count: usize,
    swept_at: Option<Instant>,
}

impl Reach {
    /// Takes down what an instance of a caller says of itself.
    pub fn hear(&self, caller: impl Hash, name: &str, heard: Heard, now: Instant) {
        let caller = self.hasher.hash_one(caller);
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        callers.sweep(now);
        let is_full = callers.count >= MAX_INSTANCES;
        let own = callers.instances.entry(caller).or_default();
        let has_room = !is_full && own.len() < MAX_PER_CALLER;
        let mut is_news = true;
        if let Some(known) = own.get_mut(name) {
            is_news = known.1.digest != heard.digest;
            *known = (now, heard);
        } else if has_room {
            own.insert(name.into(), (now, heard));
            callers.count += 1;
        }
        drop(callers);
        if is_news {
            self.news.notify_waiters();
        }
    }

    /// Every instance that is remembered, by name.
    pub fn instances(&self, now: Instant) -> Vec<Instance> {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        callers.sweep(now);
        let all = callers.instances.values().flatten();
        let mut instances: Vec<Instance> = all
            .filter(|(_, (at, _))| now.saturating_duration_since(*at) < REMEMBERED)
            .map(|(name, (at, heard))| Instance {
                name: name.to_string(),
                heard: heard.clone(),
                lately: now.saturating_duration_since(*at) < LATELY,
            })
            .collect();
        drop(callers);
        instances.sort_by(|one, other| one.name.cmp(&other.name));
        instances
    }

    /// Waits until an instance says something else than before. Whoever waits asks for this first, and looks afterwards.
    pub fn news(&self) -> tokio::sync::futures::Notified<'_> {
        self.news.notified()
    }
}

/// How often what is too old is looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(30);

impl Callers {
    fn sweep(&mut self, now: Instant) {
        let is_due = |at: Instant| now.saturating_duration_since(at) >= SWEEP_EVERY;
        if !self.swept_at.is_none_or(is_due) {
            return;
        }
        self.swept_at = Some(now);
        for own in self.instances.values_mut() {
            own.retain(|_, (at, _)| now.saturating_duration_since(*at) < REMEMBERED);
        }
        self.instances.retain(|_, own| !own.is_empty());
        self.count = self.instances.values().map(HashMap::len).sum();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn heard(digest: char) -> Heard {
        Heard {
            watching: Watching { environment: Environment::new("production").unwrap(), tenant: None },
            digest: Some(Digest::new(&digest.to_string().repeat(64)).unwrap()),
            key: None,
            at: Timestamp::EPOCH,
        }
    }

    #[test]
    fn an_instance_is_silent_after_a_while_and_forgotten_later() {
        let (reach, start) = (Reach::default(), Instant::now());
        reach.hear("key", "web-1", heard('a'), start);
        let seen = |after| reach.instances(start + after).iter().map(|one| one.lately).collect::<Vec<_>>();
        assert_eq!(seen(Duration::ZERO), [true]);
        assert_eq!(seen(LATELY), [false]);
        assert_eq!(seen(REMEMBERED), [] as [bool; 0]);
        assert_eq!(reach.callers.lock().unwrap().count, 0);
    }

    #[test]
    fn nobody_speaks_for_anothers_instance() {
        let (reach, now) = (Reach::default(), Instant::now());
        reach.hear("one", "web-1", heard('a'), now);
        reach.hear("other", "web-1", heard('b'), now);
        assert_eq!(reach.instances(now).len(), 2);
    }

    #[test]
    fn names_do_not_grow_the_memory() {
        let (reach, now) = (Reach::default(), Instant::now());
        for number in 0..MAX_PER_CALLER + 10 {
            reach.hear("rogue", &number.to_string(), heard('a'), now);
        }
        reach.hear("other", "web-1", heard('a'), now);
        assert_eq!(reach.instances(now).len(), MAX_PER_CALLER + 1);
    }
}
