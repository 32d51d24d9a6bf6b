//! The canonical form of an edit (specification section 11.5).
//!
//! Members come in the order of the specification, absent ones are left out. No value can contain a
//! character that JSON escapes.

use alloc::{format, string::String};

use super::{PartnerMove, TenantMove};
use crate::flags::{FlagRule, push_rule};
use crate::names::FlagKey;

/// A writer of the steps of an edit, in order.
pub(super) struct Canonical(String);

impl Canonical {
    pub(super) fn new() -> Canonical {
        Canonical(String::from("{\"edits\":["))
    }

    /// Writes a `putFlag` step, or a `patchFlag` step with its merged flag.
    pub(super) fn put_flag(&mut self, flag: &FlagRule) {
        self.step("putFlag\",\"flag\":");
        push_rule(&mut self.0, flag);
        self.0.push('}');
    }

    pub(super) fn delete_flag(&mut self, key: &FlagKey) {
        self.step(&format!("deleteFlag\",\"key\":\"{key}\"}}"));
    }

    pub(super) fn move_tenant(&mut self, TenantMove { tenant_id, plan, partner }: &TenantMove) {
        self.step(&format!("moveTenant\",\"tenantId\":\"{tenant_id}\""));
        if let Some(plan) = plan {
            self.0.push_str(&format!(",\"plan\":\"{plan}\""));
        }
        match partner {
            PartnerMove::Keep => {}
            PartnerMove::Detach => self.0.push_str(",\"partnerSlug\":null"),
            PartnerMove::Attach(slug) => self.0.push_str(&format!(",\"partnerSlug\":\"{slug}\"")),
        }
        self.0.push('}');
    }

    pub(super) fn finish(mut self) -> String {
        self.0.push_str("]}");
        self.0
    }

    fn step(&mut self, after_kind: &str) {
        let separator = if self.0.ends_with('}') { "," } else { "" };
        self.0.push_str(&format!("{separator}{{\"kind\":\"{after_kind}"));
    }
}
