//! The initial records of a server, and the sample records of `--dev`. Each is created once, so
//! later changes by operators stay.

use std::sync::Arc;

use dezky_core::{
    Actor, Email, Flag, Id, IdentitySubject, Label, Partner, Revisioned, Subscription, Tenant, Timestamp,
    User,
};
use serde_json::{Value, json};

use crate::app::{new_id, now};
use crate::dev::Persona;
use crate::http::document::{Document, merged};
use crate::http::problem::Problem;
use crate::live::Live;
use crate::store::{ChangeQuery, Entry, Record, Store, Write};

/// The group of platform admins in the built-in identity provider.
const ADMINS: &str = "dezky-platform-admins";

/// The flags of a new server: key, and content with state, percentage, scope and description.
fn flags() -> [(&'static str, Value); 10] {
    [
        (
            "jmap_native_v2",
            json!({ "state": "rollout", "pct": 10, "scope": { "plans": ["business", "enterprise"] },
            "description": "Mail clients use JMAP with the mail server directly, without the IMAP bridge. Watch push latency and the bridge's load." }),
        ),
        (
            "gdpr_export_v2",
            json!({ "state": "targeted", "scope": { "tenantSlugs": ["dezky"] },
            "description": "The export of personal data runs in the background, in signed parts that can be resumed." }),
        ),
        (
            "new_billing_engine",
            json!({ "state": "off",
            "description": "Invoices come from the new engine. Turn it on for one plan at a time, after comparing its invoices for a full month." }),
        ),
        (
            "calendar_free_busy",
            json!({ "state": "on",
            "description": "Calendars show when people of the same tenant are free, without details of their events." }),
        ),
        (
            "files_delta_sync",
            json!({ "state": "rollout", "pct": 25,
            "description": "The desktop client uploads the changed parts of large files instead of the whole." }),
        ),
        (
            "files_public_link_expiry",
            json!({ "state": "on",
            "description": "Every public link to a file has an end date; the default is 30 days." }),
        ),
        (
            "mail_phishing_banner",
            json!({ "state": "rollout", "pct": 50,
            "description": "A banner warns of mail whose sender imitates a person of the tenant." }),
        ),
        (
            "meetings_e2ee",
            json!({ "state": "targeted", "scope": { "plans": ["enterprise"] },
            "description": "Meetings of up to 32 people are encrypted end to end. Recording and dial-in are not possible in them." }),
        ),
        (
            "meetings_live_captions",
            json!({ "state": "rollout", "pct": 5, "scope": { "plans": ["business", "enterprise"] },
            "description": "Live captions in meetings, computed on our own machines. Costs one core per meeting." }),
        ),
        (
            "search_across_apps",
            json!({ "state": "off",
            "description": "One search over mail, files and calendar. Off until the index knows about shared calendars." }),
        ),
    ]
}

/// Creates the initial records that never existed.
pub async fn seed(store: &Arc<dyn Store>, live: &Live) -> Result<(), Problem> {
    let mut entries = Vec::new();
    let at = now()?;
    if live.read().tenant("dezky").is_none() {
        let group = json!({ "authentikGroup": "tenant-dezky" });
        let (tenant, made) = tenant("dezky", "Dezky", "enterprise", None, group, at)?;
        entries.push(made);
        entries.push(subscription(&tenant, "enterprise", 0, "eur", at)?);
    }
    for (key, content) in flags() {
        let known = ChangeQuery {
            kind: Some("flag".into()),
            id: Some(key.into()),
            limit: 1,
            ..ChangeQuery::default()
        };
        if store.changes(known).await?.is_empty() {
            let flag: Flag = made(json!({ "key": key, "createdAt": at, "updatedAt": at }), content)?;
            entries.push(created("flag.create", Record::Flag(Box::new(flag))));
        }
    }
    write(store, entries, at).await
}

/// Creates the sample records: partners, tenants, and the people of the built-in identity
/// provider.
pub async fn sample(
    store: &Arc<dyn Store>,
    live: &Live,
    issuer: &str,
    personas: &[Persona],
) -> Result<(), Problem> {
    let at = now()?;
    if live.read().tenant("acme").is_some() {
        return move_to(store, live, issuer, personas, at).await;
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

/// Updates the issuer of the sample people: the name of the built-in identity provider contains
/// its port, which can change.
async fn move_to(
    store: &Arc<dyn Store>,
    live: &Live,
    issuer: &str,
    personas: &[Persona],
    at: Timestamp,
) -> Result<(), Problem> {
    let mut entries: Vec<Entry> = Vec::new();
    let users = store.population().await?.users;
    for persona in personas {
        if live.read().user_of(issuer, &persona.subject).is_some() {
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
        entries.push(Entry { action: "user.move", before: Some(before), after: Some(after) });
    }
    write(store, entries, at).await
}

fn is_of(entry: &Entry, user: &User) -> bool {
    entry.before.as_ref().is_some_and(|record| record.id() == user.id.as_str())
}

fn user(issuer: &str, persona: &Persona, tenants: &[(String, Id)], at: Timestamp) -> Result<Entry, Problem> {
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

fn tenant(
    slug: &str,
    name: &str,
    plan: &str,
    partner: Option<Id>,
    handles: Value,
    at: Timestamp,
) -> Result<(Id, Entry), Problem> {
    let id = new_id()?;
    let blank = json!({ "id": id, "status": "active", "createdAt": at, "updatedAt": at });
    let mut content = json!({ "slug": slug, "name": name, "plan": plan, "handles": handles });
    if let (Some(partner), Some(members)) = (partner, content.as_object_mut()) {
        members.insert("partnerId".to_owned(), json!(partner));
    }
    let tenant: Tenant = made(blank, content)?;
    Ok((id, created("tenant.create", Record::Tenant(Box::new(tenant)))))
}

fn subscription(
    tenant: &Id,
    plan: &str,
    amount: i64,
    currency: &str,
    at: Timestamp,
) -> Result<Entry, Problem> {
    let content = json!({
        "tenantId": tenant, "plan": plan, "status": "active",
        "price": { "amount": amount, "currency": currency, "interval": "month" },
    });
    let subscription: Subscription =
        made(json!({ "id": new_id()?, "createdAt": at, "updatedAt": at }), content)?;
    Ok(created("subscription.create", Record::Subscription(Box::new(subscription))))
}

fn made<T: Document>(blank: Value, content: Value) -> Result<T, Problem> {
    merged(&blank, &content.as_object().cloned().unwrap_or_default())
}

/// Returns the actor of changes that the server itself makes.
pub fn system() -> Actor {
    Actor { id: None, email: Email::new("server@dezky.invalid").ok() }
}

fn created(action: &'static str, record: Record) -> Entry {
    Entry { action, before: None, after: Some(record) }
}

async fn write(store: &Arc<dyn Store>, entries: Vec<Entry>, at: Timestamp) -> Result<(), Problem> {
    if entries.is_empty() {
        return Ok(());
    }
    store
        .write(Write {
            at,
            actor: system(),
            entries,
            requires: Vec::new(),
            receipt: None,
            key_uses: Vec::new(),
        })
        .await?;
    Ok(())
}
