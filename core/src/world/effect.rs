//! The effect of an edit on flags and tenants (specification sections 11.2 and 11.3).

use alloc::{borrow::Cow, collections::BTreeMap, format, string::String, vec::Vec};

use super::canonical::Canonical;
use super::warnings::{Warning, Warnings};
use super::{Edit, EditStep, PartnerMove, TenantMove, World};
use crate::flags::{Axis, Compiled, FlagRule, Name, Scope, State, Subject};
use crate::names::{Environment, FlagKey, Percent};
use crate::{Code, Error};

/// The combined effect of an edit's steps.
pub(super) struct Effect<'e> {
    /// The rule after the edit of each flag that the edit names, or `None` for a deleted flag.
    pub(super) flags: BTreeMap<&'e FlagKey, Option<Cow<'e, FlagRule>>>,
    /// The subject after the edit of each tenant that moves.
    pub(super) moves: BTreeMap<u32, Subject<'e>>,
    /// The canonical form of the edit.
    pub(super) canonical: String,
    /// The warnings about the edit, by the names that exist before the edit.
    pub(super) warnings: Vec<Warning>,
}

impl<'e> Effect<'e> {
    pub(super) fn new(
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

    /// Returns the rule of a flag after the steps so far.
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

    /// Compiles two rules for each key: the rule before the edit, then the rule after it. A flag
    /// that does not exist counts as off.
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

/// Calls `turn` for each pair of rules that decides differently before and after the edit, with the
/// number of the pair and whether the flag turns on.
///
/// The rule before the edit evaluates the subject `before`, the rule after it the subject `after`.
/// If `after` is `None`, the tenant does not move and one evaluation covers both rules.
pub(super) fn for_each_turn(
    pairs: &Compiled,
    before: &Subject<'_>,
    after: Option<&Subject<'_>>,
    mut turn: impl FnMut(u32, bool),
) {
    // In each word of results, bit 2i is the rule of pair i before the edit and bit 2i + 1 the rule
    // after it. Interleaving them lets one evaluation per tenant decide both.
    const EVEN_BITS: u64 = u64::MAX / 3;
    let mut compare = |word: usize, results_before: u64, results_after: u64| {
        let mut turned = (results_before ^ (results_after >> 1)) & EVEN_BITS;
        while turned != 0 {
            let bit = turned.trailing_zeros();
            // Clears the lowest bit that is set.
            turned &= turned - 1;
            let turns_on = (results_before >> bit) & 1 == 0;
            turn(word as u32 * 32 + bit / 2, turns_on);
        }
    };
    let mut index = 0;
    match after {
        None => pairs.evaluate_all(before, |word| {
            compare(index, word, word);
            index += 1;
        }),
        Some(after) => {
            let mut words = Vec::new();
            pairs.evaluate_all(before, |word| words.push(word));
            let mut words = words.into_iter();
            pairs.evaluate_all(after, |word| {
                compare(index, words.next().unwrap_or_default(), word);
                index += 1;
            });
        }
    }
}
