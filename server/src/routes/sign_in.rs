//! Sign-in: updates the record of a caller from the token, by the differences between the groups
//! of the last token and of this one.

use dezky_core::Timestamp;
use dezky_core::access::AccessReason;
use dezky_core::limits::MAX_LIST;
use dezky_core::model::{Actor, IdentitySubject, Revisioned, User};
use dezky_core::names::{Id, Label};
use dezky_core::token::Claims;
use serde_json::json;

use super::touched;
use crate::app::new_id;
use crate::http::call::Call;
use crate::http::problem::Problem;
use crate::identity::LEEWAY_SECONDS;
use crate::store::{Record, RecordChange, Require, Write, WriteError};

/// The number of attempts when two sign-ins of one person conflict: the later one reads the
/// record again.
const ATTEMPTS: usize = 8;

/// The action in the log for a sign-in that would have removed the last active platform admin.
const KEEP_LAST_ADMIN: &str = "user.keepLastAdmin";

/// The parts of a sign-in that cannot be applied; the rest is applied.
#[derive(Clone, Copy, Default)]
struct Obstacles {
    /// True for the last active platform admin.
    is_last_admin: bool,
    /// True if the verified address belongs to another record.
    is_email_taken: bool,
}

/// The result of a sign-in.
struct SignedIn {
    user: User,
    /// The tenants that the new groups grant.
    joined: Vec<Id>,
    /// True if the last active platform admin kept the right.
    kept_last_admin: bool,
}

/// Returns the record of the caller, updated from the token.
pub async fn updated_record(call: &Call) -> Result<User, Problem> {
    let mut obstacles = Obstacles::default();
    for _ in 0..ATTEMPTS {
        let before = recorded(call).await?;
        // An inactive user stays inactive: signing in never reactivates a record.
        if before.as_ref().is_some_and(|before| !before.active) {
            return Err(Problem::denied(AccessReason::DeniedInactiveUser));
        }
        let base = match &before {
            Some(before) => before.clone(),
            None => first(call)?,
        };
        let SignedIn { mut user, joined, kept_last_admin } = signed_in(call, base, obstacles).await?;
        if before.as_ref() == Some(&user) {
            return Ok(user);
        }
        let is_first = before.is_none();
        if let Some(before) = &before {
            user.revisioned = touched(before.revisioned, call);
        }
        let mut changes = vec![RecordChange {
            action: if is_first { "user.create" } else { "user.signIn" },
            before: before.map(|before| Record::User(Box::new(before))),
            after: Some(Record::User(Box::new(user.clone()))),
        }];
        if kept_last_admin {
            let kept = User { revisioned: touched(user.revisioned, call), ..user.clone() };
            let (before, after) = (Record::User(Box::new(user)), Record::User(Box::new(kept.clone())));
            changes.push(RecordChange { action: KEEP_LAST_ADMIN, before: Some(before), after: Some(after) });
            user = kept;
        }
        let write = Write {
            at: user.revisioned.updated_at,
            actor: Actor {
                id: Some(user.id.clone()),
                email: user.email_verified.then(|| user.email.clone()),
            },
            entries: changes,
            requires: vec![Require::LiveTenants(joined)],
            receipt: None,
            key_uses: Vec::new(),
        };
        match call.app.store.write(write).await {
            Ok(_) => return Ok(user),
            Err(WriteError::Unmet(Require::AnActiveAdmin)) => obstacles.is_last_admin = true,
            // Another request of this person, or an operator, changed the record concurrently.
            Err(WriteError::Stale | WriteError::Taken("/subject")) => {}
            Err(WriteError::Unmet(Require::LiveTenants(_))) => {}
            Err(WriteError::Taken("/email")) if !is_first => obstacles.is_email_taken = true,
            Err(WriteError::Taken("/email")) if recorded(call).await?.is_some() => {}
            Err(WriteError::Taken("/email")) => return Err(email_taken()),
            Err(error) => return Err(error.into()),
        }
    }
    Err(Problem::conflict("busy", "", "The record is changed by too many requests at once: try again"))
}

fn email_taken() -> Problem {
    Problem::conflict("taken", "/email", "Another user has this e-mail address")
}

/// Finds the record of this identity, or an unclaimed record with the verified address of the
/// token.
async fn recorded(call: &Call) -> Result<Option<User>, Problem> {
    let claims = call.caller.claims()?;
    let known = call
        .app
        .live
        .read()
        .user_by_identity(&claims.issuer, &claims.subject)
        .map(|known| known.record.id.clone());
    if let Some(id) = known {
        return Ok(call.app.store.user(&id).await?);
    }
    let Some(email) = claims.email.as_ref().filter(|_| claims.email_verified == Some(true)) else {
        return Ok(None);
    };
    Ok(call.app.store.user_with_email(email).await?.filter(|user| user.subject.is_none()))
}

/// Creates the first record of a person.
fn first(call: &Call) -> Result<User, Problem> {
    let Some(email) = call.caller.claims()?.email.clone() else {
        return Err(Problem::invalid(
            "Authorization",
            "email_missing",
            "The token has no e-mail address, so no record can be created",
        ));
    };
    let document = json!({ "id": new_id()?, "email": email, "createdAt": call.now, "updatedAt": call.now });
    let user = User::from_json(document.to_string().as_bytes())?;
    Ok(User { revisioned: Revisioned { version: 1, ..user.revisioned }, ..user })
}

/// Applies the token to the record.
async fn signed_in(call: &Call, mut user: User, obstacles: Obstacles) -> Result<SignedIn, Problem> {
    let claims = call.caller.claims()?;
    if user.subject.is_none() {
        let (issuer, sub) = (Label::new(&claims.issuer)?, Label::new(&claims.subject)?);
        user.subject = Some(IdentitySubject { issuer, sub });
    }
    if user.last_login_at.is_none_or(|last| claims.issued_at >= last) {
        user.last_login_at = Some(claims.issued_at);
        take_profile(&mut user, claims, obstacles);
    }
    let mut signed_in = SignedIn { user, joined: Vec::new(), kept_last_admin: false };
    if let Some(groups) = &claims.groups {
        signed_in.take_groups(call, groups, obstacles).await?;
    }
    Ok(signed_in)
}

/// Updates name and address. A token without `email_verified` keeps the state of an unchanged
/// address.
fn take_profile(user: &mut User, claims: &Claims, obstacles: Obstacles) {
    if let Some(name) = &claims.name {
        user.name = name.clone();
    }
    let Some(email) = &claims.email else { return };
    let was_verified = user.email_verified && user.email == *email;
    user.email_verified = claims.email_verified.unwrap_or(was_verified) && !obstacles.is_email_taken;
    user.email = email.clone();
}

/// The difference between the groups of the last token and of this one.
struct Differences {
    appeared: Vec<Label>,
    disappeared: Vec<Label>,
}

impl Differences {
    fn between(known: &[Label], shown: &[Label]) -> Differences {
        let without = |these: &[Label], others: &[Label]| -> Vec<Label> {
            these.iter().filter(|group| !others.contains(group)).cloned().collect()
        };
        Differences { appeared: without(shown, known), disappeared: without(known, shown) }
    }
}

impl SignedIn {
    /// Applies new groups, revokes removed ones, and stores the groups of the token.
    ///
    /// A new group that grants nothing now is not stored, and a removed group that revokes
    /// nothing now is kept, so that a later token shows the same difference again.
    async fn take_groups(
        &mut self,
        call: &Call,
        shown: &[String],
        obstacles: Obstacles,
    ) -> Result<(), Problem> {
        let issued_at = call.caller.claims()?.issued_at;
        let user = &mut self.user;
        if user.groups_issued_at.is_some_and(|last| issued_at < last) {
            return Ok(());
        }
        let mut distinct: Vec<Label> = Vec::new();
        for group in shown {
            let group = Label::new(group)?;
            if !distinct.contains(&group) {
                distinct.push(group);
            }
        }
        let known = user.groups.take().unwrap_or_default();
        let Differences { mut appeared, mut disappeared } = Differences::between(&known, &distinct);
        if !grants(user, issued_at) {
            appeared.clear();
        }
        let admin_group = |group: &Label| *group.as_str() == *call.app.rights.admin_group;
        if obstacles.is_last_admin && user.platform_admin && disappeared.iter().any(admin_group) {
            disappeared.retain(|group| !admin_group(group));
            self.kept_last_admin = true;
        }
        if disappeared.iter().any(admin_group) {
            user.platform_admin = false;
        }
        if appeared.iter().any(admin_group) {
            user.platform_admin = true;
        }
        let left = tenants_of(call, &disappeared).await?;
        user.tenant_ids.retain(|id| !left.contains(id));
        for id in tenants_of(call, &appeared).await? {
            if !user.tenant_ids.contains(&id) && user.tenant_ids.len() < MAX_LIST {
                user.tenant_ids.push(id.clone());
                self.joined.push(id);
            }
        }
        let kept = known.into_iter().filter(|group| !disappeared.contains(group));
        user.groups = Some(kept.chain(appeared).collect());
        user.groups_issued_at = Some(issued_at);
        Ok(())
    }
}

/// Reports whether a token may grant rights: it is newer than the token of the stored groups, and
/// newer than the last change of rights by more than the clock leeway. Tokens have whole seconds,
/// so the order of two tokens of one second is unknown.
fn grants(user: &User, issued_at: Timestamp) -> bool {
    let leeway = i64::from(LEEWAY_SECONDS) * 1_000_000;
    let is_newer = user.groups_issued_at.is_none_or(|last| issued_at > last);
    is_newer
        && user
            .rights_changed_at
            .is_none_or(|changed| issued_at.as_micros() > changed.as_micros().saturating_add(leeway))
}

async fn tenants_of(call: &Call, groups: &[Label]) -> Result<Vec<Id>, Problem> {
    if groups.is_empty() {
        return Ok(Vec::new());
    }
    let groups = groups.iter().map(|group| group.as_str().to_owned()).collect();
    Ok(call.app.store.tenants_of_groups(groups).await?)
}
