//! Where an edit leads, and which flags turn for a tenant on the way.

use alloc::{borrow::Cow, collections::BTreeMap, format, string::String, vec::Vec};

use super::canonical::Canonical;
use super::warnings::{Warning, Warnings};
use super::{Edit, EditStep, PartnerMove, TenantMove, World};
use crate::flags::{Axis, Compiled, Name};
use crate::flags::{FlagRule, Scope, State, Subject};
use crate::names::{Environment, FlagKey, Percent};
use crate::{Code, Error};

/// Where an edit leads, its steps taken together.
pub(super) struct Effect<'e> {
    /// By key, the rules of the flags that it names afterwards; nothing for one that is deleted.
    pub(super) flags: BTreeMap<&'e FlagKey, Option<Cow<'e, FlagRule>>>,
    /// By tenant, the subjects that those who move are afterwards.
    pub(super) moves: BTreeMap<u32, Subject<'e>>,
    /// The edit in its canonical form, in which a patch is the flag that it makes.
    pub(super) canonical: String,
    /// What of the edit is seldom meant. Names are judged by the world before the edit.
    pub(super) warnings: Vec<Warning>,
}

impl<'e> Effect<'e> {
    pub(super) fn of(
        world: &'e World,
        edit: &'e Edit,
        environments: &'e [Environment],
    ) -> Result<Effect<'e>, Error> {
        let mut effect = Effect {
            flags: BTreeMap::new(),
            moves: BTreeMap::new(),
            canonical: String::new(),
            warnings: Vec::new(),
        };
        let mut warnings = Warnings::new(world, environments);
        let mut canonical = Canonical::new();
        let mut problems = Vec::new();
        for (index, step) in edit.steps().iter().enumerate() {
            let mut problem =
                |code, member: &str| problems.push(Error::new(code, format!("/edits/{index}/{member}")));
            match step {
                EditStep::PutFlag(flag) => {
                    canonical.put_flag(flag);
                    warnings.flag(flag, &format!("/edits/{index}/flag"));
                    effect.flags.insert(&flag.key, Some(Cow::Borrowed(flag)));
                }
                EditStep::PatchFlag(key, patch) => match effect.rule(world, key) {
                    Some(rule) => {
                        let merged = patch.merged_rule(rule);
                        canonical.put_flag(&merged);
                        warnings.flag(&merged, &format!("/edits/{index}/patch"));
                        effect.flags.insert(key, Some(Cow::Owned(merged)));
                    }
                    None => problem(Code::UnknownFlag, "key"),
                },
                EditStep::DeleteFlag(key) => {
                    if effect.rule(world, key).is_none() {
                        problem(Code::UnknownFlag, "key");
                    }
                    canonical.delete_flag(key);
                    effect.flags.insert(key, None);
                }
                EditStep::MoveTenant(to) => {
                    canonical.move_tenant(to);
                    if let Some(plan) = &to.plan {
                        warnings.name(Axis::Plans, plan.as_str(), || format!("/edits/{index}/plan"));
                    }
                    if let PartnerMove::Attach(slug) = &to.partner
                        && !world.population().has_partner(slug.as_str())
                    {
                        problem(Code::UnknownPartner, "partnerSlug");
                    }
                    match world.population().find(to.tenant_id.as_str()) {
                        Some(tenant) => effect.move_tenant(world, tenant, to),
                        None => problem(Code::UnknownTenant, "tenantId"),
                    }
                }
            }
        }
        effect.canonical = canonical.finish();
        effect.warnings = warnings.finish();
        Error::unless_clean(problems, effect)
    }

    /// A flag's rule after the steps so far, if there is such a flag.
    fn rule<'r>(&'r self, world: &'r World, key: &FlagKey) -> Option<&'r FlagRule> {
        match self.flags.get(key) {
            Some(after) => after.as_deref(),
            None => world.flag(key),
        }
    }

    fn move_tenant(&mut self, world: &'e World, tenant: u32, to: &'e TenantMove) {
        let Some(mut subject) =
            self.moves.get(&tenant).copied().or_else(|| world.population().subject(tenant))
        else {
            return;
        };
        if let Some(plan) = &to.plan {
            subject = subject.with(Axis::Plans, Some(Name::new(plan.as_str())));
        }
        subject = match &to.partner {
            PartnerMove::Keep => subject,
            PartnerMove::Detach => subject.with(Axis::PartnerSlugs, None),
            PartnerMove::Attach(slug) => subject.with(Axis::PartnerSlugs, Some(Name::new(slug.as_str()))),
        };
        self.moves.insert(tenant, subject);
    }

    /// For each key, its rule before and its rule after side by side, a flag that is not there being off.
    pub(super) fn compile_pairs(&self, world: &World, keys: &[&FlagKey]) -> Compiled {
        let off = |key: &FlagKey| FlagRule {
            key: key.clone(),
            state: State::Off,
            pct: Percent::ZERO,
            scope: Scope::default(),
        };
        let absent: Vec<FlagRule> = keys.iter().map(|key| off(key)).collect();
        let mut rules = Vec::with_capacity(2 * keys.len());
        for (key, absent) in keys.iter().zip(&absent) {
            let before = world.flag(key).unwrap_or(absent);
            rules.push(before);
            rules.push(self.flags.get(key).map_or(before, |after| after.as_deref().unwrap_or(absent)));
        }
        Compiled::new(world.environment(), &rules)
    }
}

/// Hands out the numbers of the pairs whose two rules decide differently, the first rule for the tenant as it was, the second as it will be.
pub(super) fn for_each_turn(
    pairs: &Compiled,
    before: &Subject<'_>,
    after: Option<&Subject<'_>>,
    mut turn: impl FnMut(u32, bool),
) {
    // Bits 2i and 2i + 1 of a word are the rules of pair i before and after the edit. Shifting `will` right
    // by one aligns both on bit 2i, and this mask (binary 0101…01) ignores the odd bits.
    const FIRST_OF_EACH: u64 = u64::MAX / 3;
    let mut compare = |word: usize, was: u64, will: u64| {
        let mut turned = (was ^ will >> 1) & FIRST_OF_EACH;
        while turned != 0 {
            let bit = turned.trailing_zeros();
            turned &= turned - 1;
            turn(word as u32 * 32 + bit / 2, was >> bit & 1 == 0);
        }
    };
    let mut number = 0;
    match after {
        None => pairs.evaluate_all(before, |both| {
            compare(number, both, both);
            number += 1;
        }),
        Some(after) => {
            let mut was = Vec::new();
            pairs.evaluate_all(before, |word| was.push(word));
            let mut was = was.into_iter();
            pairs.evaluate_all(after, |will| {
                compare(number, was.next().unwrap_or_default(), will);
                number += 1;
            });
        }
    }
}
