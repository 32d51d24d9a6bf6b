//! A question as it stands in its document: read once and strictly, then answered from there, without a copy.

use alloc::borrow::ToOwned;

use super::case::{Asker, Case, Standing};
use super::{
    AccessRequest, Action, DEFAULT_OPERATOR_AUDIENCE, MachineKey, Person, Principal, Resource,
    ResourceTenant, ResourceUser, UserRecord,
};
use crate::Code;
use crate::json::{Decode, ProblemKind, Value, deserialize_by_decoding};
use crate::limits::MAX_LIST;
use crate::model::TenantStatus;
use crate::names::is_id;
use crate::text::same_text;

/// Each value is well formed, or nothing.
pub(super) struct Question<'d> {
    asker: Asker,
    key_tenant: Value<'d>,
    person: PersonForm<'d>,
    action: Action,
    about: ResourceForm<'d>,
}

struct PersonForm<'d> {
    subject: Value<'d>,
    audiences: Value<'d>,
    user: UserForm<'d>,
    operator_audience: Value<'d>,
}

struct UserForm<'d> {
    is_given: bool,
    id: Value<'d>,
    standing: Standing,
    tenant_ids: Value<'d>,
}

struct ResourceForm<'d> {
    tenant_id: Value<'d>,
    status: TenantStatus,
    fields: Value<'d>,
    user_id: Value<'d>,
    tenant_ids: Value<'d>,
    last_active_admin: bool,
}

fn is_any(_: &str) -> bool {
    true
}

fn is_not_empty(text: &str) -> bool {
    !text.is_empty()
}

impl<'d> Question<'d> {
    pub(super) fn read(value: Value<'d>) -> Question<'d> {
        let object = value.object();
        let principal = object.required_value("principal").object();
        let key = principal.part("key");
        let (asker, key_tenant, person) = if key.is_given() {
            let (asker, tenant) = read_key(key.object());
            (asker, tenant, PersonForm::read(key.absent()))
        } else {
            let person = PersonForm::read(principal);
            (person.user.asker(), key, person)
        };
        let action = Action::decode(object.required_value("action"));
        let about = ResourceForm::read(object.part("resource"));
        if action.needs_tenant() {
            object.require_within("resource", "tenantId");
        }
        if action.needs_user() {
            object.require_within("resource", "userId");
        }
        Question { asker, key_tenant, person, action, about }
    }

    #[cfg(feature = "host")]
    pub(super) fn action(&self) -> Action {
        self.action
    }

    /// The same as values of its own.
    pub(super) fn to_request(&self) -> AccessRequest {
        let principal = match self.asker {
            Asker::ServerKey => Principal::Key(MachineKey::Server),
            Asker::TenantKey => Principal::Key(MachineKey::Tenant(Decode::decode(self.key_tenant))),
            Asker::Person(_) | Asker::Stranger => Principal::Person(self.person.to_person()),
        };
        AccessRequest { principal, action: self.action, resource: self.about.to_resource() }
    }
}

fn read_key(key: Value<'_>) -> (Asker, Value<'_>) {
    let kind = key.required_value("kind").text();
    match kind.raw() {
        "server" => (Asker::ServerKey, key.absent()),
        "tenant" => (Asker::TenantKey, key.required_value("tenantId").checked(is_id, Code::InvalidId)),
        _ => {
            kind.note(ProblemKind::Form, Code::UnknownKeyKind);
            (Asker::ServerKey, key.absent())
        }
    }
}

impl<'d> PersonForm<'d> {
    fn read(object: Value<'d>) -> PersonForm<'d> {
        PersonForm {
            subject: object.required_value("subject").checked(is_not_empty, Code::InvalidText),
            audiences: object.required_value("audiences").checked_list(MAX_LIST, is_any, Code::InvalidText),
            user: UserForm::read(object.part("user")),
            operator_audience: object.part("operatorAudience").text(),
        }
    }

    fn operator_audience(&self) -> &'d str {
        if self.operator_audience.is_given() {
            self.operator_audience.raw()
        } else {
            DEFAULT_OPERATOR_AUDIENCE
        }
    }

    fn to_person(&self) -> Person {
        Person {
            subject: self.subject.raw().to_owned(),
            audiences: Decode::decode(self.audiences),
            user: self.user.is_given.then(|| self.user.to_record()),
            operator_audience: self.operator_audience().to_owned(),
        }
    }
}

impl<'d> UserForm<'d> {
    fn read(value: Value<'d>) -> UserForm<'d> {
        let object = value.object();
        let id = object.required_value("id").checked(is_id, Code::InvalidId);
        let active = object.required("active");
        let platform_admin = object.required("platformAdmin");
        let standing = Standing { active, platform_admin, role: object.required("role") };
        let tenant_ids = object.required_value("tenantIds").checked_list(MAX_LIST, is_id, Code::InvalidId);
        UserForm { is_given: value.is_given(), id, standing, tenant_ids }
    }

    fn asker(&self) -> Asker {
        if self.is_given { Asker::Person(self.standing) } else { Asker::Stranger }
    }

    fn to_record(&self) -> UserRecord {
        let Standing { active, platform_admin, role } = self.standing;
        let (id, tenant_ids) = (Decode::decode(self.id), Decode::decode(self.tenant_ids));
        UserRecord { id, active, platform_admin, role, tenant_ids }
    }
}

impl Decode for UserRecord {
    fn decode(value: Value<'_>) -> UserRecord {
        UserForm::read(value).to_record()
    }
}

deserialize_by_decoding!(UserRecord);

impl<'d> ResourceForm<'d> {
    fn read(value: Value<'d>) -> ResourceForm<'d> {
        let object = value.object();
        ResourceForm {
            tenant_id: object.part("tenantId").checked(is_id, Code::InvalidId),
            status: object.or("tenantStatus", TenantStatus::Active),
            fields: object.part("fields").checked_list(MAX_LIST, is_any, Code::InvalidText),
            user_id: object.part("userId").checked(is_id, Code::InvalidId),
            tenant_ids: object.part("userTenantIds").checked_list(MAX_LIST, is_id, Code::InvalidId),
            last_active_admin: bool::decode(object.part("lastActiveAdmin")),
        }
    }

    fn to_resource(&self) -> Resource {
        let tenant = self.tenant_id.is_given().then(|| ResourceTenant {
            id: Decode::decode(self.tenant_id),
            status: self.status,
            fields: Decode::decode(self.fields),
        });
        let user = self.user_id.is_given().then(|| ResourceUser {
            id: Decode::decode(self.user_id),
            tenant_ids: Decode::decode(self.tenant_ids),
            last_active_admin: self.last_active_admin,
        });
        Resource { tenant, user }
    }
}

impl Case for Question<'_> {
    fn asker(&self) -> Asker {
        self.asker
    }

    fn has_operator_audience(&self) -> bool {
        self.person.audiences.lists(self.person.operator_audience())
    }

    fn tenant_status(&self) -> Option<TenantStatus> {
        if self.about.tenant_id.is_given() { Some(self.about.status) } else { None }
    }

    fn has_tenant_key(&self) -> bool {
        same_text(self.key_tenant.raw(), self.about.tenant_id.raw())
    }

    fn is_member(&self) -> bool {
        self.person.user.tenant_ids.lists(self.about.tenant_id.raw())
    }

    fn has_a_tenant(&self) -> bool {
        self.person.user.tenant_ids.items().next().is_some()
    }

    fn changes_only(&self, fields: &[&str]) -> bool {
        for field in self.about.fields.items() {
            if !fields.iter().any(|known| same_text(known, field.raw())) {
                return false;
            }
        }
        true
    }

    fn removes_last_admin(&self) -> Option<bool> {
        if self.about.user_id.is_given() { Some(self.about.last_active_admin) } else { None }
    }

    fn is_self(&self) -> bool {
        same_text(self.person.user.id.raw(), self.about.user_id.raw())
    }

    fn shares_a_tenant(&self) -> bool {
        for tenant in self.about.tenant_ids.items() {
            if self.person.user.tenant_ids.lists(tenant.raw()) {
                return true;
            }
        }
        false
    }
}
