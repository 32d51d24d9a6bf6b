//! What flags compile to, and the one path that decides them: bit sets over flags, a word of 64 flags at a time.

use alloc::{string::String, vec::Vec};
use core::ops::Range;

use super::postings::{Posting, Postings};
use super::rollout::Draw;
use super::{Axis, FlagRule, Name, State, Subject, WORD};
use crate::names::{Environment, Percent};
use crate::text::{Index, hash_name, same_bytes};

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
        let postings = |axis| Postings::new(axis, flags, word_count);
        let mut compiled = Compiled {
            environment: environment.clone(),
            environment_hash: hash_name(environment.as_str()),
            keys: String::new(),
            rules: Vec::with_capacity(flags.len()),
            index: Index::with_capacity(flags.len()),
            words: Vec::with_capacity(word_count),
            axes: [
                postings(Axis::Plans),
                postings(Axis::TenantSlugs),
                postings(Axis::PartnerSlugs),
                postings(Axis::Environments),
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
        self.rules.push(Rule { key_start, key_length: key.len() as u8, state: flag.state, pct: flag.pct });
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

    /// The number of the flag with this key.
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

    /// Whether a flag's scope lists nothing on any axis.
    pub(crate) fn is_unscoped(&self, flag: u32) -> bool {
        let bit = 1 << (flag as usize % WORD);
        self.words.get(flag as usize / WORD).is_none_or(|word| word.open.iter().all(|open| open & bit != 0))
    }

    /// Decides every flag and hands out the results, a word of flags at a time.
    pub(crate) fn evaluate_all(&self, subject: &Subject<'_>, mut hand_out: impl FnMut(u64)) {
        let mut postings = [Posting::default(); 4];
        for (&axis, posting) in Axis::ALL.iter().zip(&mut postings) {
            *posting = self.posting(axis, subject);
        }
        let mut draw = None;
        for word in 0..self.words.len() {
            let mut listed = |axis| match postings.get_mut(axis as usize) {
                Some(posting) => posting.word(word),
                None => 0,
            };
            hand_out(self.evaluate_word(word, u64::MAX, subject, &mut draw, &mut listed, &mut None));
        }
    }

    /// The same into bytes: flag `i` is bit `i % 8` of byte `i / 8`.
    pub(crate) fn evaluate_into(&self, subject: &Subject<'_>, bytes: &mut [u8]) {
        let mut chunks = bytes.chunks_mut(size_of::<u64>());
        self.evaluate_all(subject, |word| {
            let Some(chunk) = chunks.next() else { return };
            for (slot, byte) in chunk.iter_mut().zip(word.to_le_bytes()) {
                *slot = byte;
            }
        });
    }

    /// Decides one flag. Where its scope leaves the subject out, `missed` becomes the first axis that does.
    pub(crate) fn evaluate<'s>(
        &self,
        flag: u32,
        subject: &Subject<'s>,
        draw: &mut Option<Draw<'s>>,
        missed: &mut Option<Axis>,
    ) -> bool {
        let (word, bit) = (flag as usize / WORD, 1 << (flag as usize % WORD));
        let mut listed = |axis| self.word_of(axis, subject, word);
        self.evaluate_word(word, bit, subject, draw, &mut listed, missed) != 0
    }

    /// Where the subject stands in a flag's rollout.
    pub(crate) fn position<'s>(
        &self,
        flag: u32,
        subject: &Subject<'s>,
        draw: &mut Option<Draw<'s>>,
    ) -> Option<Percent> {
        let rule = self.rules.get(flag as usize)?;
        Some(Percent::of_position(self.draw(rule, subject, draw)))
    }

    #[inline(always)]
    fn draw<'s>(&self, rule: &Rule, subject: &Subject<'s>, draw: &mut Option<Draw<'s>>) -> u16 {
        draw.get_or_insert_with(|| Draw::new(subject.tenant_id()))
            .position_at(rule.key_start, rule.key(&self.keys))
    }

    /// Whether a flag's scope lets the subject in, an empty one letting in everyone.
    pub(crate) fn is_in_scope(&self, flag: u32, subject: &Subject<'_>) -> bool {
        let (number, bit) = (flag as usize / WORD, 1 << (flag as usize % WORD));
        let mut listed = |axis| self.word_of(axis, subject, number);
        self.words.get(number).is_some_and(|word| word.in_scope(bit, &mut listed, &mut None) != 0)
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

    /// The one path: those of `asked`, a word's flags, that are on for the subject. `missed` is the first axis that leaves the subject
    /// out of all of them.
    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    fn evaluate_word<'s>(
        &self,
        number: usize,
        asked: u64,
        subject: &Subject<'s>,
        draw: &mut Option<Draw<'s>>,
        listed: &mut dyn FnMut(Axis) -> u64,
        missed: &mut Option<Axis>,
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
                || pct != Percent::ZERO && self.draw(rule, subject, draw) < pct.hundredths();
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
        for &axis in &Axis::ALL {
            if flag.scope.is_open(axis)
                && let Some(open) = self.open.get_mut(axis as usize)
            {
                *open |= bit;
            }
        }
    }

    /// Those of `flags` whose every axis is open or lists what the subject has. An axis that is open for all of them is not looked up.
    #[inline(always)]
    fn in_scope(
        &self,
        mut flags: u64,
        listed: &mut dyn FnMut(Axis) -> u64,
        missed: &mut Option<Axis>,
    ) -> u64 {
        for (&axis, open) in Axis::ALL.iter().zip(self.open) {
            if flags & !open != 0 {
                flags &= open | listed(axis);
                if flags == 0 {
                    *missed = Some(axis);
                    break;
                }
            }
        }
        flags
    }
}
