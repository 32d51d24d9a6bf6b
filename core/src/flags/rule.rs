//! A flag as evaluation sees it, and its canonical bytes.

use alloc::string::String;

use serde::Serialize;

use super::{Axis, Scope, Subject};
use crate::Error;
use crate::json::decode_objects;
use crate::names::words;
use crate::names::{FlagKey, Percent};
use crate::text::push_char;

words! {
    /// What a flag does.
    ///
    /// ```
    /// assert_eq!(dezky_core::flags::State::parse("rollout"), Some(dezky_core::flags::State::Rollout));
    /// ```
    State: UnknownState {
        /// Off for everybody.
        Off "off",
        /// On for everybody, whatever the scope.
        On "on",
        /// On for those in scope; an empty scope is nobody.
        Targeted "targeted",
        /// On for a percentage of those in scope; an empty scope is everybody.
        Rollout "rollout",
    }
}

/// What decides a flag: the part of it that a snapshot carries.
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
    /// Its name.
    pub key: FlagKey,
    /// What it does.
    pub state: State,
    /// How much of its scope a rollout covers; kept, and without effect, in the other states.
    pub pct: Percent,
    /// Whom it is for.
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

/// What a slice has on an axis that leaves its tenant out, instead of whom the flag is for: that is nobody else's business. A platform
/// gives no tenant or partner this slug.
///
/// ```
/// assert_eq!(dezky_core::flags::ELSEWHERE, "elsewhere");
/// ```
pub const ELSEWHERE: &str = "elsewhere";
/// The same for who is called so.
const ELSEWHERE_ELSE: &str = "elsewhere-2";

impl FlagRule {
    /// The bytes that the rule takes in a snapshot's canonical form.
    ///
    /// ```
    /// # use dezky_core::flags::Snapshot;
    /// # use dezky_core::names::Environment;
    /// let text = r#"{"format":1,"revision":1,"environment":"e","flags":[{"key":"a","state":"off"}]}"#;
    /// let full = Snapshot::from_json(text.as_bytes())?;
    /// let empty = Snapshot::new(1, Environment::new("e")?, Vec::new())?;
    /// let difference = full.to_canonical_json().len() - empty.to_canonical_json().len();
    /// assert_eq!(full.flags()[0].canonical_bytes(), difference);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn canonical_bytes(&self) -> usize {
        let mut text = String::new();
        push_rule(&mut text, self);
        text.len()
    }

    /// The rule that a slice has in the place of this one: it explains the flag to this subject exactly as this one does, and depends on
    /// nothing that the subject's explanation does not depend on. The subject is in the environment that it names.
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
            let other = if own == Some(ELSEWHERE) { ELSEWHERE_ELSE } else { ELSEWHERE };
            return Ok(FlagRule { scope: Scope::default().with(axis, [other])?, ..bare(State::Targeted) });
        }
        if self.state == State::Rollout {
            return Ok(FlagRule { pct: self.pct, ..bare(State::Rollout) });
        }
        // An empty allow-list stays one; whom a list lets in, it lets in by name.
        let own = subject.value(Axis::TenantSlugs).filter(|_| !self.scope.is_empty());
        Ok(FlagRule { scope: Scope::default().with(Axis::TenantSlugs, own)?, ..bare(State::Targeted) })
    }
}

/// Appends the canonical form. No value in it can hold a character that JSON escapes.
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
