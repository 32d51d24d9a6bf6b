//! Links: addresses that let in whoever was given them, for one purpose and a short while. For readers that can send no headers.

use std::sync::Arc;

use dezky_core::{Slug, Timestamp};

use super::caller::{Caller, Who};
use super::seal::Seal;
use crate::app::App;
use crate::live::Known;

/// Links that are made within so many seconds are the same, so that a reader who is given one again stays connected.
const STEP_SECONDS: i64 = 300;

/// The query of a link that lets this caller follow one tenant's evaluations, good for five to ten minutes.
pub fn query(seal: &Seal, tenant: &Slug, caller: &Caller, now: Timestamp) -> String {
    let until = (now.as_seconds().div_euclid(STEP_SECONDS) + 2) * STEP_SECONDS;
    let whose = match &caller.who {
        Who::Key(known) => format!("key\n{}", known.key.id),
        Who::Person { claims, known } => person(known.as_ref(), claims.expires_at),
        Who::Linked { known, until } => person(Some(known), *until),
    };
    let token = seal.seal(&purpose(tenant.as_str()), &format!("{until}\n{whose}"));
    format!("tenant={tenant}&token={token}")
}

fn person(known: Option<&Arc<Known>>, until: Timestamp) -> String {
    let id = known.map_or("", |known| known.record.id.as_str());
    format!("person\n{}\n{id}", until.as_seconds())
}

fn purpose(tenant: &str) -> String {
    format!("follow\n{tenant}")
}

/// Who was given a link of this query, if its time is not over.
pub fn holder(app: &App, query: &str, now: Timestamp) -> Option<Caller> {
    let value = |wanted: &str| form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == wanted);
    let ((_, tenant), (_, token)) = (value("tenant")?, value("token")?);
    let text = app.seal.open(&purpose(&tenant), &token)?;
    let (until, whose) = text.split_once('\n')?;
    if until.parse::<i64>().ok()? <= now.as_seconds() {
        return None;
    }
    match whose.split_once('\n')? {
        ("key", id) => Some(Caller::key(app.live.read().key(id).cloned()?)),
        ("person", rest) => {
            let (expires, id) = rest.split_once('\n')?;
            let until = Timestamp::from_seconds(expires.parse().ok()?).ok().filter(|until| now < *until)?;
            Caller::linked(app, id, until)
        }
        _ => None,
    }
}
