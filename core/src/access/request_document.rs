//! The facts of a request document, read without copying its strings.

use alloc::borrow::ToOwned;

use super::facts::{AccessFacts, Caller, UserRights};
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

/// The checked values of a request document. A value that is absent or malformed is an absent
/// [`Value`].
pub(super) struct RequestDocument<'d> {
    caller: Caller,
    key_tenant: Value<'d>,
    person: PersonValues<'d>,
    pub(super) action: Action,
    resource: ResourceValues<'d>,
}

struct PersonValues<'d> {
    subject: Value<'d>,
    audiences: Value<'d>,
    user: UserValues<'d>,
    operator_audience: Value<'d>,
}

struct UserValues<'d> {
    is_present: bool,
    id: Value<'d>,
    rights: UserRights,
    tenant_ids: Value<'d>,
}

struct ResourceValues<'d> {
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

impl<'d> RequestDocument<'d> {
    pub(super) fn read(value: Value<'d>) -> RequestDocument<'d> {
        let object = value.object();
        let principal = object.required_value("principal").object();
        let key = principal.part("key");
        let (caller, key_tenant, person) = if key.is_given() {
            let (caller, tenant) = read_key(key.object());
            (caller, tenant, PersonValues::read(key.absent()))
        } else {
            let person = PersonValues::read(principal);
            (person.user.caller(), key, person)
        };
        let action = Action::decode(object.required_value("action"));
        let resource = ResourceValues::read(object.part("resource"));
        if action.needs_tenant() {
            object.require_within("resource", "tenantId");
        }
        if action.needs_user() {
            object.require_within("resource", "userId");
        }
        RequestDocument { caller, key_tenant, person, action, resource }
    }

    /// Copies the request into owned values.
    pub(super) fn to_request(&self) -> AccessRequest {
        let principal = match self.caller {
            Caller::ServerKey => Principal::Key(MachineKey::Server),
            Caller::TenantKey => Principal::Key(MachineKey::Tenant(Decode::decode(self.key_tenant))),
            Caller::User(_) | Caller::PersonWithoutRecord => Principal::Person(self.person.to_person()),
        };
        AccessRequest { principal, action: self.action, resource: self.resource.to_resource() }
    }
}

fn read_key(key: Value<'_>) -> (Caller, Value<'_>) {
    let kind = key.required_value("kind").text();
    match kind.raw() {
        "server" => (Caller::ServerKey, key.absent()),
        "tenant" => (Caller::TenantKey, key.required_value("tenantId").checked(is_id, Code::InvalidId)),
        _ => {
            kind.note(ProblemKind::Form, Code::UnknownKeyKind);
            (Caller::ServerKey, key.absent())
        }
    }
}

impl<'d> PersonValues<'d> {
    fn read(object: Value<'d>) -> PersonValues<'d> {
        PersonValues {
            subject: object.required_value("subject").checked(is_not_empty, Code::InvalidText),
            audiences: object.required_value("audiences").checked_list(MAX_LIST, is_any, Code::InvalidText),
            user: UserValues::read(object.part("user")),
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
            user: self.user.is_present.then(|| self.user.to_record()),
            operator_audience: self.operator_audience().to_owned(),
        }
    }
}

impl<'d> UserValues<'d> {
    fn read(value: Value<'d>) -> UserValues<'d> {
        let object = value.object();
        let id = object.required_value("id").checked(is_id, Code::InvalidId);
        let active = object.required("active");
        let platform_admin = object.required("platformAdmin");
        let rights = UserRights { active, platform_admin, role: object.required("role") };
        let tenant_ids = object.required_value("tenantIds").checked_list(MAX_LIST, is_id, Code::InvalidId);
        UserValues { is_present: value.is_given(), id, rights, tenant_ids }
    }

    fn caller(&self) -> Caller {
        if self.is_present { Caller::User(self.rights) } else { Caller::PersonWithoutRecord }
    }

    fn to_record(&self) -> UserRecord {
        let UserRights { active, platform_admin, role } = self.rights;
        let (id, tenant_ids) = (Decode::decode(self.id), Decode::decode(self.tenant_ids));
        UserRecord { id, active, platform_admin, role, tenant_ids }
    }
}

impl Decode for UserRecord {
    fn decode(value: Value<'_>) -> UserRecord {
        UserValues::read(value).to_record()
    }
}

deserialize_by_decoding!(UserRecord);

impl<'d> ResourceValues<'d> {
    fn read(value: Value<'d>) -> ResourceValues<'d> {
        let object = value.object();
        ResourceValues {
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

impl AccessFacts for RequestDocument<'_> {
    fn caller(&self) -> Caller {
        self.caller
    }

    fn has_operator_audience(&self) -> bool {
        self.person.audiences.lists(self.person.operator_audience())
    }

    fn tenant_status(&self) -> Option<TenantStatus> {
        if self.resource.tenant_id.is_given() { Some(self.resource.status) } else { None }
    }

    fn has_tenant_key(&self) -> bool {
        same_text(self.key_tenant.raw(), self.resource.tenant_id.raw())
    }

    fn is_member(&self) -> bool {
        self.person.user.tenant_ids.lists(self.resource.tenant_id.raw())
    }

    fn has_a_tenant(&self) -> bool {
        self.person.user.tenant_ids.items().next().is_some()
    }

    fn changes_only(&self, fields: &[&str]) -> bool {
        for field in self.resource.fields.items() {
            if !fields.iter().any(|allowed| same_text(allowed, field.raw())) {
                return false;
            }
        }
        true
    }

    fn removes_last_admin(&self) -> Option<bool> {
        if self.resource.user_id.is_given() { Some(self.resource.last_active_admin) } else { None }
    }

    fn is_self(&self) -> bool {
        same_text(self.person.user.id.raw(), self.resource.user_id.raw())
    }

    fn shares_a_tenant(&self) -> bool {
        for tenant in self.resource.tenant_ids.items() {
            if self.person.user.tenant_ids.lists(tenant.raw()) {
                return true;
            }
        }
        false
    }
}
