//! Edits of a world (specification section 11.1).

use alloc::{vec, vec::Vec};

use crate::flags::FlagRule;
use crate::json::{Decode, Kind, ProblemKind, Value, decode_list, decode_strictly, deserialize_strictly};
use crate::limits::{MAX_DOCUMENT_BYTES, MAX_EDITS};
use crate::model::FlagPatch;
use crate::names::{FlagKey, Id, PlanKey, Slug};
use crate::{Code, Error};

/// One or more steps that apply in order and as a whole.
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

/// A single step of an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditStep {
    /// Creates a flag, or replaces the flag with its key.
    PutFlag(FlagRule),
    /// Patches the flag with this key, as `PATCH /flags/{key}` does.
    PatchFlag(FlagKey, FlagPatch),
    /// Deletes the flag with this key.
    DeleteFlag(FlagKey),
    /// Moves a tenant to another plan, another partner, or both.
    MoveTenant(TenantMove),
}

/// A change of the subscription plan or the partner of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantMove {
    /// The tenant that moves.
    pub tenant_id: Id,
    /// The new subscription plan, or `None` to keep it.
    pub plan: Option<PlanKey>,
    /// The change of the partner.
    pub partner: PartnerMove,
}

/// The change of a tenant's partner.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PartnerMove {
    /// The tenant keeps its partner.
    #[default]
    Keep,
    /// The tenant has no partner afterwards.
    Detach,
    /// The partner with this slug becomes the partner.
    Attach(Slug),
}

impl Edit {
    /// Returns an edit that creates a flag, or replaces the flag with its key.
    pub fn put_flag(flag: impl Into<FlagRule>) -> Edit {
        EditStep::PutFlag(flag.into()).into()
    }

    /// Returns an edit that patches a flag, as `PATCH /flags/{key}` does.
    pub fn patch_flag(key: FlagKey, patch: FlagPatch) -> Edit {
        EditStep::PatchFlag(key, patch).into()
    }

    /// Returns an edit that deletes a flag.
    pub fn delete_flag(key: FlagKey) -> Edit {
        EditStep::DeleteFlag(key).into()
    }

    /// Returns an edit that moves a tenant to another subscription plan.
    pub fn move_to_plan(tenant_id: Id, plan: PlanKey) -> Edit {
        EditStep::MoveTenant(TenantMove { tenant_id, plan: Some(plan), partner: PartnerMove::Keep }).into()
    }

    /// Returns an edit that moves a tenant to another partner, or detaches it.
    pub fn move_to_partner(tenant_id: Id, partner: PartnerMove) -> Edit {
        EditStep::MoveTenant(TenantMove { tenant_id, plan: None, partner }).into()
    }

    /// Appends the steps of another edit.
    pub fn and(mut self, then: Edit) -> Edit {
        self.steps.extend(then.steps);
        self
    }

    /// Returns the steps, in order.
    pub fn steps(&self) -> &[EditStep] {
        &self.steps
    }

    /// Reads an edit. Unknown members are rejected, because people write edits.
    ///
    /// ```
    /// use dezky_core::Code;
    /// use dezky_core::world::Edit;
    /// let edit = br#"{ "edits": [{ "kind": "moveTenant", "tenantId": "t1" }] }"#;
    /// let error = Edit::from_json(edit).unwrap_err();
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
            // The other members depend on the kind, so an unknown kind accepts any.
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
