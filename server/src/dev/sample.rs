//! The sample data of development mode: partners, tenants, and a user for each persona.

use std::sync::Arc;

use dezky_core::Timestamp;
use dezky_core::model::{IdentitySubject, Partner, Revisioned, User};
use dezky_core::names::{Email, Id, Label};
use dezky_dev_identity_provider::Persona;
use serde_json::json;

use crate::app::{new_id, now};
use crate::http::problem::Problem;
use crate::live::Live;
use crate::seeds::{created, made, subscription, tenant, write};
use crate::store::{Record, RecordChange, Store};

/// The group of platform admins among the personas.
const ADMINS: &str = "dezky-platform-admins";

/// Creates the sample data once. Later starts only move the users to the current issuer.
pub(super) async fn add_samples(
    store: &Arc<dyn Store>,
    live: &Live,
    issuer: &str,
    personas: &[Persona],
) -> Result<(), Problem> {
    let at = now()?;
    if live.read().tenant("acme").is_some() {
        return move_users(store, live, issuer, personas, at).await;
    }
    let mut entries = Vec::new();
    let mut partners = Vec::new();
    for (slug, name, domain, margin) in [
        ("nordlys", "Nordlys Cloud", "nordlys.example", 15.0),
        ("lumen", "Lumen Systems", "lumen.example", 22.5),
    ] {
        let id = new_id()?;
        let content = json!({ "slug": slug, "name": name, "domain": domain, "marginPct": margin });
        let partner: Partner = made(json!({ "id": id, "createdAt": at, "updatedAt": at }), content)?;
        entries.push(created("partner.create", Record::Partner(Box::new(partner))));
        partners.push(id);
    }
    let plans = [("free", 0), ("business", 4_900), ("enterprise", 49_900)];
    let names = [
        "Acme",
        "Globex",
        "Initech",
        "Umbra",
        "Hooli",
        "Stark",
        "Wayne",
        "Tyrell",
        "Aperture",
        "Cyberdyne",
        "Soylent",
        "Wonka",
    ];
    let mut tenants = Vec::new();
    for (index, name) in names.into_iter().enumerate() {
        let (plan, amount) = plans.iter().cycle().nth(index + 1).copied().unwrap_or(("free", 0));
        let slug = name.to_lowercase();
        let partner = partners.iter().chain(&partners).nth(index % 6).filter(|_| index % 6 < 4).cloned();
        let group = json!({ "authentikGroup": format!("tenant-{slug}") });
        let (id, entry) = tenant(&slug, name, plan, partner, group, at)?;
        entries.push(entry);
        if amount > 0 {
            entries.push(subscription(&id, plan, amount, "eur", at)?);
        }
        tenants.push((slug, id));
    }
    let mut seen: Vec<&str> = Vec::new();
    for persona in personas.iter().filter(|persona| persona.name != "stranger") {
        if seen.contains(&persona.subject.as_str()) {
            continue;
        }
        seen.push(&persona.subject);
        entries.push(user(issuer, persona, &tenants, at)?);
    }
    write(store, entries, at).await
}

/// Moves the users to the current issuer. The issuer's name contains the port, so another
/// `--listen` changes the name.
async fn move_users(
    store: &Arc<dyn Store>,
    live: &Live,
    issuer: &str,
    personas: &[Persona],
    at: Timestamp,
) -> Result<(), Problem> {
    let mut entries: Vec<RecordChange> = Vec::new();
    let users = store.initial_state().await?.users;
    for persona in personas {
        if live.read().user_by_identity(issuer, &persona.subject).is_some() {
            continue;
        }
        let email = Email::new(&persona.email)?;
        let Some(before) = users.iter().find(|user| user.email == email).cloned() else { continue };
        let subject =
            Some(IdentitySubject { issuer: Label::new(issuer)?, sub: Label::new(&persona.subject)? });
        if before.subject == subject || entries.iter().any(|entry| is_of(entry, &before)) {
            continue;
        }
        let version = before.revisioned.version + 1;
        let revisioned = Revisioned { updated_at: at, version, ..before.revisioned };
        let after = User { subject, revisioned, ..before.clone() };
        let (before, after) = (Record::User(Box::new(before)), Record::User(Box::new(after)));
        entries.push(RecordChange { action: "user.move", before: Some(before), after: Some(after) });
    }
    write(store, entries, at).await
}

fn is_of(entry: &RecordChange, user: &User) -> bool {
    entry.before.as_ref().is_some_and(|record| record.id() == user.id.as_str())
}

fn user(
    issuer: &str,
    persona: &Persona,
    tenants: &[(String, Id)],
    at: Timestamp,
) -> Result<RecordChange, Problem> {
    let own = tenants
        .iter()
        .filter(|(slug, _)| persona.groups.iter().any(|group| *group == format!("tenant-{slug}")));
    let own: Vec<&Id> = own.map(|(_, id)| id).collect();
    let content = json!({
        "email": persona.email,
        "emailVerified": true,
        "name": persona.full_name,
        "subject": { "issuer": issuer, "sub": persona.subject },
        "role": if persona.name == "owner" { "owner" } else { "member" },
        "platformAdmin": persona.groups.iter().any(|group| group == ADMINS),
        "active": !["inactive", "former"].contains(&persona.name.as_str()),
        "tenantIds": own,
        "groups": persona.groups,
    });
    let user: User = made(json!({ "id": new_id()?, "createdAt": at, "updatedAt": at }), content)?;
    Ok(created("user.create", Record::User(Box::new(user))))
}
