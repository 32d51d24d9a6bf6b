//! The canonical form of an edit: members in the order of the specification, absent ones left out. No value in it can hold a
//! character that JSON escapes.

use alloc::{format, string::String};

use super::{PartnerMove, TenantMove};
use crate::flags::FlagRule;
use crate::flags::push_rule;
use crate::names::FlagKey;

/// Writes the steps of an edit, one after the other.
pub(super) struct Canonical(String);

impl Canonical {
    pub(super) fn new() -> Canonical {
        Canonical(String::from("{\"edits\":["))
    }

    /// A flag as it is put, or as a patch makes it.
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
