//! What somebody is about to change.

use alloc::{vec, vec::Vec};

use crate::flags::FlagRule;
use crate::json::{Decode, Kind, ProblemKind, Value, decode_list, decode_strictly, deserialize_strictly};
use crate::limits::{MAX_DOCUMENT_BYTES, MAX_EDITS};
use crate::model::FlagPatch;
use crate::names::{FlagKey, Id, PlanKey, Slug};
use crate::{Code, Error};

/// One or more steps, applied in order as one.
///
/// ```
/// use dezky_core::names::{FlagKey, Id, PlanKey};
/// use dezky_core::world::Edit;
/// let edit = Edit::delete_flag(FlagKey::new("old_editor")?)
///     .and(Edit::move_to_plan(Id::new("t1")?, PlanKey::new("free")?));
/// assert_eq!(edit.steps().len(), 2);
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    steps: Vec<EditStep>,
}

/// One step of an edit.
///
/// ```
/// use dezky_core::names::FlagKey;
/// use dezky_core::world::EditStep;
/// let step = EditStep::DeleteFlag(FlagKey::new("old_editor")?);
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditStep {
    /// Creates a flag, or replaces the one with its key.
    PutFlag(FlagRule),
    /// Changes some of the flag with this key, as `PATCH /flags/{key}` does.
    PatchFlag(FlagKey, FlagPatch),
    /// Deletes the flag with this key.
    DeleteFlag(FlagKey),
    /// Moves a tenant to another plan, another partner, or both.
    MoveTenant(TenantMove),
}

/// Where a tenant moves.
///
/// ```
/// use dezky_core::names::{Id, PlanKey};
/// use dezky_core::world::{PartnerMove, TenantMove};
/// let away = TenantMove { tenant_id: Id::new("t1")?, plan: Some(PlanKey::new("free")?), partner: PartnerMove::Keep };
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantMove {
    /// Who moves.
    pub tenant_id: Id,
    /// To which plan, unless it stays.
    pub plan: Option<PlanKey>,
    /// To which partner.
    pub partner: PartnerMove,
}

/// What becomes of a tenant's partner.
///
/// ```
/// assert_eq!(dezky_core::world::PartnerMove::default(), dezky_core::world::PartnerMove::Keep);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PartnerMove {
    /// It stays.
    #[default]
    Keep,
    /// The tenant has none from then on.
    Detach,
    /// It becomes the one with this slug.
    Attach(Slug),
}

impl Edit {
    /// Creates a flag, or replaces the one with its key.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// let flag = FlagRule { key: FlagKey::new("a")?, state: State::On, pct: Percent::ZERO, scope: Scope::default() };
    /// let edit = Edit::flag(flag);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn flag(flag: impl Into<FlagRule>) -> Edit {
        EditStep::PutFlag(flag.into()).into()
    }

    /// Changes some of a flag, as `PATCH /flags/{key}` does.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// let edit = Edit::patch_flag(FlagKey::new("a")?, FlagPatch { state: Some(State::On), ..FlagPatch::default() });
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn patch_flag(key: FlagKey, patch: FlagPatch) -> Edit {
        EditStep::PatchFlag(key, patch).into()
    }

    /// Deletes a flag.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// let edit = Edit::delete_flag(FlagKey::new("a")?);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn delete_flag(key: FlagKey) -> Edit {
        EditStep::DeleteFlag(key).into()
    }

    /// Moves a tenant to another plan.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// let edit = Edit::move_to_plan(Id::new("t1")?, PlanKey::new("free")?);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn move_to_plan(tenant_id: Id, plan: PlanKey) -> Edit {
        EditStep::MoveTenant(TenantMove { tenant_id, plan: Some(plan), partner: PartnerMove::Keep }).into()
    }

    /// Moves a tenant to another partner, or to none.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// let edit = Edit::move_to_partner(Id::new("t1")?, PartnerMove::Detach);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn move_to_partner(tenant_id: Id, partner: PartnerMove) -> Edit {
        EditStep::MoveTenant(TenantMove { tenant_id, plan: None, partner }).into()
    }

    /// This and then another.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// let edit = Edit::delete_flag(FlagKey::new("a")?).and(Edit::delete_flag(FlagKey::new("b")?));
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn and(mut self, then: Edit) -> Edit {
        self.steps.extend(then.steps);
        self
    }

    /// Its steps, in order.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// assert_eq!(Edit::delete_flag(FlagKey::new("a")?).steps().len(), 1);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn steps(&self) -> &[EditStep] {
        &self.steps
    }

    /// Reads an edit strictly: people write edits, so members that nobody knows are refused.
    ///
    /// ```
    /// use dezky_core::Code;
    /// use dezky_core::world::Edit;
    /// let error = Edit::from_json(br#"{ "edits": [{ "kind": "moveTenant", "tenantId": "t1" }] }"#).unwrap_err();
    /// assert_eq!((error.code, error.path.as_str()), (Code::EmptyEdit, "/edits/0"));
    /// ```
    pub fn from_json(bytes: &[u8]) -> Result<Edit, Error> {
        decode_strictly(bytes, MAX_DOCUMENT_BYTES)
    }
}

impl From<EditStep> for Edit {
    fn from(step: EditStep) -> Edit {
        Edit { steps: vec![step] }
    }
}

impl Decode for Edit {
    fn decode(value: Value<'_>) -> Edit {
        let list = value.object().required_value("edits");
        let steps = decode_list(list, MAX_EDITS);
        if list.kind() == Kind::Array && list.items().next().is_none() {
            list.note(ProblemKind::Form, Code::EmptyEdit);
        }
        Edit { steps }
    }
}

impl Decode for EditStep {
    fn decode(value: Value<'_>) -> EditStep {
        let object = value.object();
        let kind = object.required_value("kind").text();
        match kind.raw() {
            "putFlag" => EditStep::PutFlag(object.required("flag")),
            "patchFlag" => EditStep::PatchFlag(object.required("key"), object.required("patch")),
            "deleteFlag" => EditStep::DeleteFlag(object.required("key")),
            "moveTenant" => EditStep::MoveTenant(object.embedded()),
            // Without a known kind there is nothing to judge the other members by.
            _ => {
                object.accept_any();
                kind.note(ProblemKind::Form, Code::UnknownEdit);
                EditStep::DeleteFlag(FlagKey::decode(kind.absent()))
            }
        }
    }
}

impl Decode for TenantMove {
    fn decode(value: Value<'_>) -> TenantMove {
        let object = value.object();
        let tenant_id = object.required("tenantId");
        let plan = object.optional("plan");
        let partner = match object.member_or_null("partnerSlug") {
            None => PartnerMove::Keep,
            Some(slug) if slug.kind() == Kind::Null => PartnerMove::Detach,
            Some(slug) => PartnerMove::Attach(Slug::decode(slug)),
        };
        if plan.is_none() && partner == PartnerMove::Keep {
            object.note(ProblemKind::Form, Code::EmptyEdit);
        }
        TenantMove { tenant_id, plan, partner }
    }
}

deserialize_strictly!(Edit, EditStep, TenantMove);
