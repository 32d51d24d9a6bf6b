//! The initial records of a server. Each is created once, so later changes by operators stay.

use std::sync::Arc;

use dezky_core::Timestamp;
use dezky_core::model::{Actor, Flag, Subscription, Tenant};
use dezky_core::names::{Email, Id};
use serde_json::{Value, json};

use crate::app::{new_id, now};
use crate::http::document::{RecordDocument, merged};
use crate::http::problem::Problem;
use crate::live::Live;
use crate::store::{ChangeQuery, Record, RecordChange, Store, Write};

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
pub(crate) async fn seed(store: &Arc<dyn Store>, live: &Live) -> Result<(), Problem> {
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

pub(crate) fn tenant(
    slug: &str,
    name: &str,
    plan: &str,
    partner: Option<Id>,
    handles: Value,
    at: Timestamp,
) -> Result<(Id, RecordChange), Problem> {
    let id = new_id()?;
    let blank = json!({ "id": id, "status": "active", "createdAt": at, "updatedAt": at });
    let mut content = json!({ "slug": slug, "name": name, "plan": plan, "handles": handles });
    if let (Some(partner), Some(members)) = (partner, content.as_object_mut()) {
        members.insert("partnerId".to_owned(), json!(partner));
    }
    let tenant: Tenant = made(blank, content)?;
    Ok((id, created("tenant.create", Record::Tenant(Box::new(tenant)))))
}

pub(crate) fn subscription(
    tenant: &Id,
    plan: &str,
    amount: i64,
    currency: &str,
    at: Timestamp,
) -> Result<RecordChange, Problem> {
    let content = json!({
        "tenantId": tenant, "plan": plan, "status": "active",
        "price": { "amount": amount, "currency": currency, "interval": "month" },
    });
    let subscription: Subscription =
        made(json!({ "id": new_id()?, "createdAt": at, "updatedAt": at }), content)?;
    Ok(created("subscription.create", Record::Subscription(Box::new(subscription))))
}

pub(crate) fn made<T: RecordDocument>(blank: Value, content: Value) -> Result<T, Problem> {
    merged(&blank, &content.as_object().cloned().unwrap_or_default())
}

/// Returns the actor of changes that the server itself makes.
pub fn system() -> Actor {
    Actor { id: None, email: Email::new("server@dezky.invalid").ok() }
}

pub(crate) fn created(action: &'static str, record: Record) -> RecordChange {
    RecordChange { action, before: None, after: Some(record) }
}

pub(crate) async fn write(
    store: &Arc<dyn Store>,
    entries: Vec<RecordChange>,
    at: Timestamp,
) -> Result<(), Problem> {
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
