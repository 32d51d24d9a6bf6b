//! The handlers for users and their rights.

use dezky_core::model::User;

use super::{CURSOR, LIMIT, Page, entity, touched};
use crate::http::call::Call;
use crate::http::document::merged;
use crate::http::operation::{Body, Operation};
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::store::{PageStart, Record, RecordChange, Require, UserQuery};

const CHANGED: Body = Body::patch::<User>(&["name", "role", "tenantIds", "platformAdmin", "active"]);

pub const LIST: Operation = Operation::new(|call| Box::pin(list(call)))
    .summary("Lists the users by last sign-in, newest first")
    .query(&[LIMIT, CURSOR])
    .returns::<Page<User>>();

pub const READ: Operation =
    Operation::new(|call| Box::pin(read(call))).summary("Returns one user").returns::<User>();

pub const UPDATE: Operation = Operation::new(|call| Box::pin(update(call)))
    .summary(
        "Changes a user; changed rights apply from the next request on, and the groups of tokens \
         issued earlier no longer grant anything",
    )
    .body(CHANGED)
    .if_match()
    .returns::<User>();

pub const RETIRE: Operation = Operation::new(|call| Box::pin(retire(call)))
    .summary(
        "Takes all rights from a user permanently; the record stays, so that an old token cannot \
         recreate it",
    )
    .if_match()
    .returns::<User>();

async fn list(call: Call) -> Result<Reply, Problem> {
    let query = UserQuery { tenant: None, after: call.after()?, limit: call.query.limit()? + 1 };
    page(&call, query).await
}

/// Returns a page of users as the caller may see them.
pub async fn page(call: &Call, query: UserQuery) -> Result<Reply, Problem> {
    let found = call.app.store.users(query).await?;
    let position = |user: &User| {
        let last = user.last_login_at.map_or(0, |at| at.as_micros());
        PageStart { key: last.to_string(), id: user.id.to_string() }
    };
    let (users, next_cursor) = call.page(found, position)?;
    let items = users.into_iter().map(|user| shown_to(call, user)).collect();
    Reply::json(&Page { items, next_cursor })
}

async fn read(call: Call) -> Result<Reply, Problem> {
    let user = current(&call).await?;
    let revisioned = user.revisioned;
    entity(&shown_to(&call, user), revisioned)
}

/// Hides what the caller may not see of another user: foreign tenants and all groups.
fn shown_to(call: &Call, mut user: User) -> User {
    let is_own = call.caller.id() == Some(user.id.as_str());
    if let Some(own) = call.caller.visible_tenants().filter(|_| !is_own) {
        user.tenant_ids.retain(|tenant| own.contains(tenant));
        (user.groups, user.groups_issued_at) = (None, None);
    }
    user
}

async fn update(call: Call) -> Result<Reply, Problem> {
    let before = current(&call).await?;
    call.check_version(before.revisioned)?;
    let mut after: User = merged(&before, &call.body)?;
    if after == before {
        return entity(&before, before.revisioned);
    }
    after.revisioned = touched(before.revisioned, &call);
    write(&call, "user.update", before, after).await
}

async fn retire(call: Call) -> Result<Reply, Problem> {
    let before = current(&call).await?;
    call.check_version(before.revisioned)?;
    let mut after = before.clone();
    (after.active, after.platform_admin, after.tenant_ids) = (false, false, Vec::new());
    if after == before {
        return entity(&before, before.revisioned);
    }
    after.revisioned = touched(before.revisioned, &call);
    write(&call, "user.delete", before, after).await
}

async fn write(call: &Call, action: &'static str, before: User, mut after: User) -> Result<Reply, Problem> {
    if rights(&before) != rights(&after) {
        after.rights_changed_at = Some(after.revisioned.updated_at);
    }
    let joined = after.tenant_ids.iter().filter(|id| !before.tenant_ids.contains(id)).cloned().collect();
    let requires = vec![Require::LiveTenants(joined)];
    let reply = entity(&after, after.revisioned)?;
    let (before, after) = (Record::User(Box::new(before)), Record::User(Box::new(after)));
    call.write(vec![RecordChange { action, before: Some(before), after: Some(after) }], requires, reply).await
}

fn rights(user: &User) -> (bool, bool, dezky_core::model::Role, &[dezky_core::names::Id]) {
    (user.active, user.platform_admin, user.role, &user.tenant_ids)
}

async fn current(call: &Call) -> Result<User, Problem> {
    let id = call.target.user.clone().ok_or_else(Problem::not_found)?;
    call.app.store.user(&id).await?.ok_or_else(Problem::not_found)
}
