//! Compiled flags and the only code that evaluates them: bit operations on 64 flags at a time.

use alloc::{string::String, vec::Vec};
use core::ops::Range;

use super::axis_index::{AxisIndex, FlagSet};
use super::rollout::RolloutHasher;
use super::{Axis, FlagRule, Name, State, Subject, WORD};
use crate::names::{Environment, Percent};
use crate::text::{Index, hash_name, same_bytes};

/// The states and scopes of 64 flags, one bit per flag.
#[derive(Debug, Clone, Copy, Default)]
struct Word {
    on: u64,
    /// Flags in state `targeted` whose scope is not empty.
    targeted: u64,
    rollout: u64,
    /// For each axis, the flags whose scope lists no value there and therefore matches every
    /// subject.
    open: [u64; 4],
}

/// Flags sorted by key, compiled for evaluation. A flag's number is its position in that order.
///
/// A key may occur twice in a row: a plan compiles the rules of a flag before and after an edit
/// next to each other.
#[derive(Debug)]
pub(crate) struct Compiled {
    environment: Environment,
    environment_hash: u64,
    /// The keys, concatenated without separators.
    keys: String,
    rules: Vec<CompiledRule>,
    index: Index,
    words: Vec<Word>,
    axes: [AxisIndex; 4],
}

#[derive(Debug, Clone, Copy)]
struct CompiledRule {
    key_start: u32,
    key_length: u8,
    state: State,
    pct: Percent,
}

/// The evaluation of flags for one subject: the subject, and what evaluation stores between flags.
///
/// Lives on the stack of one call, so evaluation needs no allocation.
pub(crate) struct EvaluationQuery<'q, 's> {
    subject: &'q Subject<'s>,
    /// Created when the first rollout needs the subject's position.
    hasher: Option<RolloutHasher<'s>>,
    /// The axis that excluded the subject from the last of the flags that were evaluated together.
    missed_axis: Option<Axis>,
}

impl<'q, 's> EvaluationQuery<'q, 's> {
    pub(crate) fn new(subject: &'q Subject<'s>) -> EvaluationQuery<'q, 's> {
        EvaluationQuery { subject, hasher: None, missed_axis: None }
    }

    /// The first axis that excludes the subject from the flag that was evaluated last.
    pub(super) fn missed_axis(&self) -> Option<Axis> {
        self.missed_axis
    }
}

impl Compiled {
    /// Compiles flags that are sorted by key.
    pub(crate) fn new(environment: &Environment, flags: &[&FlagRule]) -> Compiled {
        let word_count = flags.len().div_ceil(WORD);
        let index = |axis| AxisIndex::new(axis, flags, word_count);
        let mut compiled = Compiled {
            environment: environment.clone(),
            environment_hash: hash_name(environment.as_str()),
            keys: String::new(),
            rules: Vec::with_capacity(flags.len()),
            index: Index::with_capacity(flags.len()),
            words: Vec::with_capacity(word_count),
            axes: [
                index(Axis::Plans),
                index(Axis::TenantSlugs),
                index(Axis::PartnerSlugs),
                index(Axis::Environments),
            ],
        };
        for flag in flags {
            compiled.add(flag);
        }
        compiled
    }

    fn add(&mut self, flag: &FlagRule) {
        let key = flag.key.as_str();
        let number = self.rules.len();
        let last_start = self.rules.last().map_or(0, |last| last.key_start);
        let is_repeated = number > 0 && self.keys.get(last_start as usize..) == Some(key);
        let key_start = if is_repeated { last_start } else { self.keys.len() as u32 };
        if !is_repeated {
            self.keys.push_str(key);
        }
        self.rules.push(CompiledRule {
            key_start,
            key_length: key.len() as u8,
            state: flag.state,
            pct: flag.pct,
        });
        self.index.insert(hash_name(key), number as u32);
        if number.is_multiple_of(WORD) {
            self.words.push(Word::default());
        }
        if let Some(word) = self.words.last_mut() {
            word.add(flag, 1 << (number % WORD));
        }
    }

    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    pub(crate) fn len(&self) -> usize {
        self.rules.len()
    }

    pub(crate) fn key(&self, flag: u32) -> &str {
        key_of(&self.keys, &self.rules, flag)
    }

    /// Returns the number of the flag with this key.
    pub(crate) fn find(&self, key: &str) -> Option<u32> {
        self.index.find(hash_name(key), |number| {
            self.rules
                .get(number as usize)
                .is_some_and(|rule| same_bytes(rule.key_bytes(&self.keys), key.as_bytes()))
        })
    }

    pub(crate) fn state(&self, flag: u32) -> State {
        self.rules.get(flag as usize).map_or(State::Off, |rule| rule.state)
    }

    pub(crate) fn pct(&self, flag: u32) -> Percent {
        self.rules.get(flag as usize).map_or(Percent::ZERO, |rule| rule.pct)
    }

    /// Returns whether a flag's scope is empty on every axis.
    pub(crate) fn is_unscoped(&self, flag: u32) -> bool {
        let bit = 1 << (flag as usize % WORD);
        self.words.get(flag as usize / WORD).is_none_or(|word| word.open.iter().all(|open| open & bit != 0))
    }

    /// Evaluates every flag and calls `emit` with the results, 64 flags at a time.
    pub(crate) fn evaluate_all(&self, subject: &Subject<'_>, mut emit: impl FnMut(u64)) {
        let mut sets = [FlagSet::default(); 4];
        for (&axis, set) in Axis::ALL.iter().zip(&mut sets) {
            *set = self.flags_listing(axis, subject);
        }
        let mut query = EvaluationQuery::new(subject);
        for word in 0..self.words.len() {
            let mut listing = |axis| match sets.get_mut(axis as usize) {
                Some(set) => set.word(word),
                None => 0,
            };
            emit(self.evaluate_word(word, u64::MAX, &mut query, &mut listing));
        }
    }

    /// Evaluates every flag into bytes: flag `i` is bit `i % 8` of byte `i / 8`.
    pub(crate) fn evaluate_into(&self, subject: &Subject<'_>, bytes: &mut [u8]) {
        let mut chunks = bytes.chunks_mut(size_of::<u64>());
        self.evaluate_all(subject, |word| {
            let Some(chunk) = chunks.next() else { return };
            for (slot, byte) in chunk.iter_mut().zip(word.to_le_bytes()) {
                *slot = byte;
            }
        });
    }

    /// Evaluates one flag for the subject of the query.
    pub(crate) fn evaluate(&self, flag: u32, query: &mut EvaluationQuery<'_, '_>) -> bool {
        let (word, bit) = (flag as usize / WORD, 1 << (flag as usize % WORD));
        let subject = query.subject;
        let mut listing = |axis| self.word_listing(axis, subject, word);
        self.evaluate_word(word, bit, query, &mut listing) != 0
    }

    /// The subject's position in a flag's rollout.
    pub(crate) fn position(&self, flag: u32, query: &mut EvaluationQuery<'_, '_>) -> Option<Percent> {
        let rule = self.rules.get(flag as usize)?;
        Some(Percent::from_position(self.position_for(rule, query)))
    }

    #[inline(always)]
    fn position_for(&self, rule: &CompiledRule, query: &mut EvaluationQuery<'_, '_>) -> u16 {
        let tenant_id = query.subject.tenant_id();
        let hasher = query.hasher.get_or_insert_with(|| RolloutHasher::new(tenant_id));
        hasher.cached_position(rule.key_start, rule.key(&self.keys))
    }

    /// Returns whether a flag's scope matches the subject. An empty scope matches every subject.
    pub(crate) fn is_in_scope(&self, flag: u32, subject: &Subject<'_>) -> bool {
        let (number, bit) = (flag as usize / WORD, 1 << (flag as usize % WORD));
        let mut listing = |axis| self.word_listing(axis, subject, number);
        self.words.get(number).is_some_and(|word| word.in_scope(bit, &mut listing).0 != 0)
    }

    /// The flags that list the subject's value on an axis.
    fn flags_listing(&self, axis: Axis, subject: &Subject<'_>) -> FlagSet<'_> {
        self.lookup(axis, subject).map_or(FlagSet::default(), |(index, name)| index.flags(name))
    }

    /// Like `flags_listing`, but returns only one word of the flags.
    fn word_listing(&self, axis: Axis, subject: &Subject<'_>, word: usize) -> u64 {
        self.lookup(axis, subject).map_or(0, |(index, name)| index.word(name, word))
    }

    /// Returns the index of an axis and the subject's value on it. A subject without an environment
    /// is in the environment of the ruleset.
    fn lookup<'r, 'n>(&'r self, axis: Axis, subject: &Subject<'n>) -> Option<(&'r AxisIndex, Name<'n>)>
    where
        'r: 'n,
    {
        let own = || Name { text: self.environment.as_str(), hash: self.environment_hash };
        let name = subject.name(axis).or_else(|| (axis == Axis::Environments).then(own));
        self.axes.get(axis as usize).zip(name)
    }

    /// Returns those of the flags `wanted`, bits of one word, that are on for the subject. Every
    /// other evaluation function calls this one.
    ///
    /// `listing` returns the flags of the word that list the subject's value on an axis. It is a
    /// trait object, because WASM has no room for a copy of this function for each caller.
    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    fn evaluate_word(
        &self,
        number: usize,
        wanted: u64,
        query: &mut EvaluationQuery<'_, '_>,
        listing: &mut dyn FnMut(Axis) -> u64,
    ) -> u64 {
        let Some(word) = self.words.get(number) else { return 0 };
        let scoped = (word.targeted | word.rollout) & wanted;
        if scoped == 0 {
            return word.on & wanted;
        }
        let (in_scope, missed_axis) = word.in_scope(scoped, listing);
        query.missed_axis = missed_axis;
        let mut enabled = word.on & wanted | in_scope & word.targeted;
        let mut rollouts = in_scope & word.rollout;
        while rollouts != 0 {
            let bit = rollouts.trailing_zeros();
            rollouts &= rollouts - 1;
            let flag = (number * WORD) as u32 + bit;
            let Some(rule) = self.rules.get(flag as usize) else { break };
            let pct = rule.pct;
            // Rollouts at 0 and at 100 percent, where most end, need no hash.
            let included = pct == Percent::FULL
                || pct != Percent::ZERO && self.position_for(rule, query) < pct.hundredths();
            enabled |= u64::from(included) << bit;
        }
        enabled
    }
}

fn key_of<'k>(keys: &'k str, rules: &[CompiledRule], flag: u32) -> &'k str {
    rules.get(flag as usize).map_or("", |rule| rule.key(keys))
}

impl CompiledRule {
    fn range(&self) -> Range<usize> {
        let start = self.key_start as usize;
        start..start + usize::from(self.key_length)
    }

    fn key<'k>(&self, keys: &'k str) -> &'k str {
        keys.get(self.range()).unwrap_or_default()
    }

    fn key_bytes<'k>(&self, keys: &'k str) -> &'k [u8] {
        keys.as_bytes().get(self.range()).unwrap_or_default()
    }
}

impl Word {
    fn add(&mut self, flag: &FlagRule, bit: u64) {
        match flag.state {
            State::Off => {}
            State::On => self.on |= bit,
            State::Targeted if flag.scope.is_empty() => {}
            State::Targeted => self.targeted |= bit,
            State::Rollout => self.rollout |= bit,
        }
        for &axis in &Axis::ALL {
            if flag.scope.is_open(axis)
                && let Some(open) = self.open.get_mut(axis as usize)
            {
                *open |= bit;
            }
        }
    }

    /// Returns those of `flags` whose scope matches the subject: every axis is open or lists the
    /// subject's value. If none is left, also returns the axis that excluded the last of them.
    ///
    /// An axis that is open for all of the flags is not looked up.
    #[inline(always)]
    fn in_scope(&self, mut flags: u64, listing: &mut dyn FnMut(Axis) -> u64) -> (u64, Option<Axis>) {
        for (&axis, open) in Axis::ALL.iter().zip(self.open) {
            if flags & !open != 0 {
                flags &= open | listing(axis);
                if flags == 0 {
                    return (0, Some(axis));
                }
            }
        }
        (flags, None)
    }
}
