//! The rule of a flag, as snapshots carry it, and its canonical form.

use alloc::string::String;

use serde::Serialize;

use super::{Axis, Scope, Subject};
use crate::Error;
use crate::json::decode_objects;
use crate::names::words;
use crate::names::{FlagKey, Percent};
use crate::text::push_char;

words! {
    /// The state of a flag, which selects how its scope and percentage apply.
    State: UnknownState {
        /// Off for every tenant.
        Off "off",
        /// On for every tenant, regardless of the scope.
        On "on",
        /// On for tenants in scope; an empty scope matches no tenant.
        Targeted "targeted",
        /// On for a percentage of the tenants in scope; an empty scope matches every tenant.
        Rollout "rollout",
    }
}

/// The part of a flag that evaluation needs and a snapshot carries.
///
/// ```
/// use dezky_core::flags::{Axis, FlagRule, Scope, State};
/// use dezky_core::names::{FlagKey, Percent};
/// let rule = FlagRule {
///     key: FlagKey::new("jmap_native_v2")?,
///     state: State::Rollout,
///     pct: Percent::whole(25)?,
///     scope: Scope::default().with(Axis::Plans, ["business"])?,
/// };
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
#[serde(rename_all = "camelCase")]
pub struct FlagRule {
    /// The key of the flag.
    pub key: FlagKey,
    /// The state of the flag.
    pub state: State,
    /// The percentage of a rollout. Other states keep it without effect.
    pub pct: Percent,
    /// The tenants that the flag applies to.
    pub scope: Scope,
}

decode_objects! {
    FlagRule {
        key: required("key"),
        state: required("state"),
        pct: or_default("pct"),
        scope: or_default("scope"),
    }
}

/// The placeholder in a slice for the values of an axis that excludes the slice's tenant. It hides
/// which tenants the flag is for. A platform must not give this slug to a tenant or partner.
pub const ELSEWHERE: &str = "elsewhere";
/// The placeholder for a tenant whose own value is [`ELSEWHERE`].
const ELSEWHERE_FALLBACK: &str = "elsewhere-2";

impl FlagRule {
    /// The size of the rule in a snapshot's canonical form, in bytes.
    pub fn canonical_bytes(&self) -> usize {
        let mut text = String::new();
        push_rule(&mut text, self);
        text.len()
    }

    /// Returns the rule that replaces this one in the slice of a subject.
    ///
    /// Both rules explain the flag to the subject in the same way, and the new rule changes only if
    /// that explanation changes. The subject must name its environment.
    ///
    /// ```
    /// # use dezky_core::flags::{Axis, FlagRule, Scope, State, Subject};
    /// # use dezky_core::names::{FlagKey, Percent};
    /// let scope = Scope::default().with(Axis::TenantSlugs, ["acme", "globex"])?;
    /// let rule = FlagRule { key: FlagKey::new("a")?, state: State::Targeted, pct: Percent::ZERO, scope };
    /// let acme = Subject::new("t1", "acme", "free")?.with_environment("production")?;
    /// assert_eq!(rule.sliced(&acme)?.scope.values(Axis::TenantSlugs).collect::<Vec<_>>(), ["acme"]);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn sliced(&self, subject: &Subject<'_>) -> Result<FlagRule, Error> {
        let bare =
            |state| FlagRule { key: self.key.clone(), state, pct: Percent::ZERO, scope: Scope::default() };
        if matches!(self.state, State::Off | State::On) {
            return Ok(bare(self.state));
        }
        if let Some(axis) = self.scope.missed_axis(subject) {
            let own = subject.value(axis);
            let other = if own == Some(ELSEWHERE) { ELSEWHERE_FALLBACK } else { ELSEWHERE };
            return Ok(FlagRule { scope: Scope::default().with(axis, [other])?, ..bare(State::Targeted) });
        }
        if self.state == State::Rollout {
            return Ok(FlagRule { pct: self.pct, ..bare(State::Rollout) });
        }
        // An empty scope stays empty. Any other scope lists only the subject's own slug.
        let own = subject.value(Axis::TenantSlugs).filter(|_| !self.scope.is_empty());
        Ok(FlagRule { scope: Scope::default().with(Axis::TenantSlugs, own)?, ..bare(State::Targeted) })
    }
}

/// Appends the canonical form of a rule. Its names contain no character that JSON escapes.
pub(crate) fn push_rule(out: &mut String, rule: &FlagRule) {
    out.push_str("{\"key\":\"");
    out.push_str(rule.key.as_str());
    out.push_str("\",\"state\":\"");
    out.push_str(rule.state.as_str());
    out.push_str("\",\"pct\":");
    rule.pct.push_to(out);
    out.push_str(",\"scope\":{");
    for (index, &axis) in Axis::ALL.iter().enumerate() {
        out.push_str(if index == 0 { "\"" } else { ",\"" });
        out.push_str(axis.as_str());
        out.push_str("\":[");
        for (index, value) in rule.scope.values(axis).enumerate() {
            out.push_str(if index == 0 { "\"" } else { ",\"" });
            out.push_str(value);
            push_char(out, '"');
        }
        push_char(out, ']');
    }
    out.push_str("}}");
}
