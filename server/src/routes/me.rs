//! The caller themselves: their record is made and kept in step with what their identity provider says, as far as that may count.

use dezky_core::{
    Action, Email, Id, IdentitySubject, Label, Revisioned, Subscription, Tenant, User, WorldTenant,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::subjects::SubjectView;
use super::touched;
use crate::app::new_id;
use crate::http::call::Call;
use crate::http::operation::{Operation, get};

use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::store::{
    Direction, Entry, Record, Sort, SortKey, SubscriptionQuery, TenantFilter, TenantQuery, Write, WriteError,
};

/// Two sign-ins of one person at once: the later one reads again, and then finds the record in step.
const ATTEMPTS: usize = 8;

/// What a portal's first page shows at most of each list; the lists themselves have the rest.
const FIRST_PAGE: usize = 200;

pub fn operation() -> Operation {
    get("/users/me", Action::UserMe, me)
        .says(
            "The caller's profile, tenants and subscriptions; makes or updates their record from their token",
        )
        .gives::<Me>()
}

/// What a portal needs for its first page.
#[derive(Debug, Serialize, JsonSchema)]
struct Me {
    /// The caller.
    profile: User,
    /// Their tenants, by slug.
    tenants: Vec<Tenant>,
    /// Their tenants' subscriptions, newest first.
    subscriptions: Vec<Subscription>,
    /// Their tenants' subjects, by slug: the documents that forTenant takes.
    subjects: Vec<SubjectView>,
}

async fn me(call: Call) -> Result<Reply, Problem> {
    let profile = in_step(&call).await?;
    let own = Some(profile.tenant_ids.clone());
    let filter = TenantFilter { visible: own.clone(), ..TenantFilter::default() };
    let sort = Sort { key: SortKey::Slug, direction: Direction::Ascending };
    let tenants =
        call.app.store.tenants(TenantQuery { filter, sort, after: None, limit: FIRST_PAGE }).await?;
    let query = SubscriptionQuery { tenant: None, visible: own, after: None, limit: FIRST_PAGE };
    let subscriptions = call.app.store.subscriptions(query).await?;
    let subjects = {
        let state = call.app.live.read();
        tenants.iter().map(|tenant| SubjectView::new(&state, &WorldTenant::from(tenant))).collect()
    };
    Reply::json(&Me { profile, tenants, subscriptions, subjects })
}

/// The caller's record, in step with their token.
async fn in_step(call: &Call) -> Result<User, Problem> {
    for _ in 0..ATTEMPTS {
        let before = recorded(call).await?;
        let after = match &before {
            Some(before) => updated(call, before).await?,
            None => first(call).await?,
        };
        if before.as_ref() == Some(&after) {
            return Ok(after);
        }
        // Inactive since the request was let in: signing in never undoes that.
        if before.as_ref().is_some_and(|before| !before.active) {
            return Err(Problem::denied(dezky_core::AccessReason::DeniedInactiveUser));
        }
        let is_first = before.is_none();
        let write = Write {
            at: after.revisioned.updated_at,
            actor: dezky_core::Actor { id: Some(after.id.clone()), email: Some(after.email.clone()) },
            entries: vec![Entry {
                action: if is_first { "user.create" } else { "user.signIn" },
                before: before.map(|before| Record::User(Box::new(before))),
                after: Some(Record::User(Box::new(after.clone()))),
            }],
            requires: Vec::new(),
            receipt: None,
            key_uses: Vec::new(),
        };
        match call.app.store.write(write).await {
            Ok(_) => return Ok(after),
            Err(WriteError::Stale | WriteError::Taken("/subject")) => {}
            // By this person's other request, a moment ago.
            Err(WriteError::Taken("/email")) if is_first && recorded(call).await?.is_some() => {}
            Err(WriteError::Taken("/email")) => return Err(email_taken()),
            Err(error) => return Err(error.into()),
        }
    }
    Err(Problem::conflict("busy", "", "This record is being changed by too many at once: try again"))
}

fn email_taken() -> Problem {
    Problem::conflict("taken", "/email", "Another user has this e-mail address")
}

/// The record of this identity; or one that was made for this e-mail address, which the identity provider has verified, and nobody has claimed.
async fn recorded(call: &Call) -> Result<Option<User>, Problem> {
    let claims = call.caller.claims()?;
    let known =
        call.app.live.read().user_of(&claims.issuer, &claims.subject).map(|known| known.record.id.clone());
    if let Some(id) = known {
        return Ok(call.app.store.user(&id).await?);
    }
    let Some(email) = claims.email.as_ref().filter(|_| claims.email_verified == Some(true)) else {
        return Ok(None);
    };
    Ok(call.app.store.user_with_email(email).await?.filter(|user| user.subject.is_none()))
}

async fn first(call: &Call) -> Result<User, Problem> {
    let Some(email) = call.caller.claims()?.email.clone() else {
        return Err(Problem::invalid(
            "Authorization",
            "email_missing",
            "The token has no e-mail address, so no record can be made",
        ));
    };
    let blank = blank(new_id()?, email, call)?;
    from_token(call, blank).await
}

fn blank(id: Id, email: Email, call: &Call) -> Result<User, Problem> {
    let document = json!({ "id": id, "email": email, "createdAt": call.now, "updatedAt": call.now });
    let user = User::from_json(document.to_string().as_bytes())?;
    Ok(User { revisioned: Revisioned { version: 1, ..user.revisioned }, ..user })
}

async fn updated(call: &Call, before: &User) -> Result<User, Problem> {
    let after = from_token(call, before.clone()).await?;
    if after == *before {
        return Ok(after);
    }
    Ok(User { revisioned: touched(before.revisioned, call), ..after })
}

/// The record with what the token says. An older token than the last one that counted says nothing new.
async fn from_token(call: &Call, mut user: User) -> Result<User, Problem> {
    let claims = call.caller.claims()?;
    if user.subject.is_none() {
        let (issuer, sub) = (Label::new(&claims.issuer)?, Label::new(&claims.subject)?);
        user.subject = Some(IdentitySubject { issuer, sub });
    }
    if user.last_login_at.is_some_and(|last| claims.issued_at < last) {
        return Ok(user);
    }
    user.last_login_at = Some(claims.issued_at);
    if let Some(email) = &claims.email {
        user.email = email.clone();
    }
    if let Some(name) = &claims.name {
        user.name = name.clone();
    }
    let grants = user.rights_changed_at.is_none_or(|changed| claims.issued_at >= changed);
    if let Some(groups) = claims.groups.as_ref().filter(|_| grants) {
        user.platform_admin = groups.iter().any(|group| *group == call.app.rights.admin_group);
        user.tenant_ids = call.app.store.tenants_of_groups(groups.clone()).await?;
    }
    Ok(user)
}
