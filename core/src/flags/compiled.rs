//! What flags compile to, and the one path that decides them: bit sets over flags, a word of 64 flags at a time.

use std::ops::Range;

use super::postings::{Posting, Postings};
use super::rollout::Draw;
use super::{Axis, FlagRule, Name, State, Subject, WORD};
use crate::names::{Index, hash_name, same_text};
use crate::{Environment, Percent};

/// Sixty-four flags, a bit each.
#[derive(Debug, Clone, Copy, Default)]
struct Word {
    on: u64,
    /// In state `targeted`, with a scope that is not empty.
    targeted: u64,
    rollout: u64,
    /// By axis: the flags that list nothing there, and so let everyone through.
    open: [u64; 4],
}

/// Flags, sorted by key, ready to be evaluated.
///
/// A key may stand twice in a row: the plan compiles a flag's rules before and after an edit side by side.
#[derive(Debug)]
pub(crate) struct Compiled {
    environment: Environment,
    environment_hash: u64,
    /// Every key's text, one after the other.
    keys: String,
    rules: Vec<Rule>,
    index: Index,
    words: Vec<Word>,
    axes: [Postings; 4],
}

#[derive(Debug, Clone, Copy)]
struct Rule {
    key_start: u32,
    key_length: u8,
    state: State,
    pct: Percent,
}

impl Compiled {
    /// Compiles flags that are sorted by key.
    pub(crate) fn new(environment: &Environment, flags: &[&FlagRule]) -> Compiled {
        let word_count = flags.len().div_ceil(WORD);
        let mut keys = String::new();
        let mut rules: Vec<Rule> = Vec::with_capacity(flags.len());
        let mut words = vec![Word::default(); word_count];
        for (number, flag) in flags.iter().enumerate() {
            let key = flag.key.as_str();
            let repeated = rules.last().filter(|last| keys.get(last.key_start as usize..) == Some(key));
            let key_start = repeated.map_or(keys.len() as u32, |last| last.key_start);
            if repeated.is_none() {
                keys.push_str(key);
            }
            rules.push(Rule { key_start, key_length: key.len() as u8, state: flag.state, pct: flag.pct });
            if let Some(word) = words.get_mut(number / WORD) {
                word.add(flag, 1 << (number % WORD));
            }
        }
        keys.shrink_to_fit();

        let axes = Axis::ALL.map(|axis| {
            let listed = (0_u32..)
                .zip(flags)
                .flat_map(|(number, flag)| flag.scope.values(axis).map(move |value| (number, value)));
            Postings::new(listed, word_count)
        });
        let mut compiled = Compiled {
            environment: environment.clone(),
            environment_hash: hash_name(environment.as_str()),
            keys,
            rules,
            index: Index::with_capacity(flags.len()),
            words,
            axes,
        };
        for number in 0..flags.len() as u32 {
            let hash = hash_name(compiled.key(number));
            compiled.index.insert(hash, number);
        }
        compiled
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

    /// The number of the flag with this key.
    pub(crate) fn find(&self, key: &str) -> Option<u32> {
        self.index.find(hash_name(key), |number| {
            self.rules.get(number as usize).is_some_and(|rule| same_text(rule.key_bytes(&self.keys), key))
        })
    }

    pub(crate) fn state(&self, flag: u32) -> State {
        self.rules.get(flag as usize).map_or(State::Off, |rule| rule.state)
    }

    pub(crate) fn pct(&self, flag: u32) -> Percent {
        self.rules.get(flag as usize).map_or(Percent::ZERO, |rule| rule.pct)
    }

    /// Whether a flag's scope lists nothing on any axis.
    pub(crate) fn is_unscoped(&self, flag: u32) -> bool {
        let bit = 1 << (flag as usize % WORD);
        self.words.get(flag as usize / WORD).is_none_or(|word| word.open.iter().all(|open| open & bit != 0))
    }

    /// Decides every flag and hands out the results, a word of flags at a time.
    pub(crate) fn evaluate_all(&self, subject: &Subject<'_>, mut hand_out: impl FnMut(u64)) {
        let mut postings = Axis::ALL.map(|axis| self.posting(axis, subject));
        let mut draw = None;
        for word in 0..self.words.len() {
            let listed = |axis| {
                postings.get_mut(axis as usize).map_or(0, |posting: &mut Posting<'_>| posting.word(word))
            };
            hand_out(self.evaluate_word(word, u64::MAX, subject, &mut draw, listed, |_| ()));
        }
    }

    /// Decides one flag. Where its scope leaves the subject out, `missed` is told the first axis that does.
    pub(crate) fn evaluate(&self, flag: u32, subject: &Subject<'_>, missed: impl FnMut(Axis)) -> bool {
        let (word, bit) = (flag as usize / WORD, 1 << (flag as usize % WORD));
        let listed = |axis| self.word_of(axis, subject, word);
        self.evaluate_word(word, bit, subject, &mut None, listed, missed) != 0
    }

    /// Whether a flag's scope lets the subject in, an empty one letting in everyone.
    pub(crate) fn is_in_scope(&self, flag: u32, subject: &Subject<'_>) -> bool {
        let (number, bit) = (flag as usize / WORD, 1 << (flag as usize % WORD));
        let listed = |axis| self.word_of(axis, subject, number);
        self.words.get(number).is_some_and(|word| word.in_scope(bit, listed, |_| ()) != 0)
    }

    /// The flags that list what the subject has on an axis.
    fn posting(&self, axis: Axis, subject: &Subject<'_>) -> Posting<'_> {
        self.listing(axis, subject).map_or(Posting::default(), |(postings, name)| postings.of(name))
    }

    /// The same, of one word alone.
    fn word_of(&self, axis: Axis, subject: &Subject<'_>, word: usize) -> u64 {
        self.listing(axis, subject).map_or(0, |(postings, name)| postings.word_of(name, word))
    }

    /// Where to look up, and what: a subject without an environment is in the ruleset's own.
    fn listing<'r, 'n>(&'r self, axis: Axis, subject: &Subject<'n>) -> Option<(&'r Postings, Name<'n>)>
    where
        'r: 'n,
    {
        let own = || Name { text: self.environment.as_str(), hash: self.environment_hash };
        let name = subject.name(axis).or_else(|| (axis == Axis::Environments).then(own));
        self.axes.get(axis as usize).zip(name)
    }

    /// The one path: those of `asked`, a word's flags, that are on for the subject.
    #[inline(always)]
    fn evaluate_word<'s>(
        &self,
        number: usize,
        asked: u64,
        subject: &Subject<'s>,
        draw: &mut Option<Draw<'s>>,
        listed: impl FnMut(Axis) -> u64,
        missed: impl FnMut(Axis),
    ) -> u64 {
        let Some(word) = self.words.get(number) else { return 0 };
        let scoped = (word.targeted | word.rollout) & asked;
        if scoped == 0 {
            return word.on & asked;
        }
        let in_scope = word.in_scope(scoped, listed, missed);
        let mut enabled = word.on & asked | in_scope & word.targeted;
        let mut drawn = in_scope & word.rollout;
        while drawn != 0 {
            let bit = drawn.trailing_zeros();
            drawn &= drawn - 1;
            let flag = (number * WORD) as u32 + bit;
            let Some(rule) = self.rules.get(flag as usize) else { break };
            let pct = rule.pct;
            // Most rollouts end at 100 %: there nothing needs to be hashed, nor at 0.
            let inside = pct == Percent::FULL
                || pct != Percent::ZERO
                    && draw
                        .get_or_insert_with(|| Draw::new(subject.tenant_id()))
                        .position_at(rule.key_start, rule.key(&self.keys))
                        < pct.hundredths();
            enabled |= u64::from(inside) << bit;
        }
        enabled
    }
}

fn key_of<'k>(keys: &'k str, rules: &[Rule], flag: u32) -> &'k str {
    rules.get(flag as usize).map_or("", |rule| rule.key(keys))
}

impl Rule {
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
        for (axis, open) in Axis::ALL.into_iter().zip(&mut self.open) {
            if flag.scope.is_open(axis) {
                *open |= bit;
            }
        }
    }

    /// Those of `flags` whose every axis is open or lists what the subject has. An axis that is open for all of them is not looked up.
    #[inline(always)]
    fn in_scope(
        &self,
        mut flags: u64,
        mut listed: impl FnMut(Axis) -> u64,
        mut missed: impl FnMut(Axis),
    ) -> u64 {
        for (axis, open) in Axis::ALL.into_iter().zip(self.open) {
            if flags & !open != 0 {
                flags &= open | listed(axis);
                if flags == 0 {
                    missed(axis);
                    break;
                }
            }
        }
        flags
    }
}
