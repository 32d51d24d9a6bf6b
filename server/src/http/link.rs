//! Links: addresses that let in whoever was given them, for one purpose and a short while. For readers that can send no headers.

use dezky_core::Timestamp;
use dezky_core::names::Slug;

use super::seal::Seal;

/// Links that are made within so many seconds are the same, so that a reader who is given one again stays connected.
const STEP_SECONDS: i64 = 300;

/// Who was given a link.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Holder {
    /// A machine, by the id of its key.
    Key(String),
    /// A person, by the id of their record.
    Person {
        /// It.
        id: String,
        /// Until when the token was good with which they were given it.
        until: Timestamp,
    },
}

/// A link that lets its holder follow one tenant's evaluations, good for five to ten minutes.
#[derive(Debug, Hash)]
pub struct Link<'t> {
    tenant: &'t Slug,
    holder: Holder,
    // In seconds since 1970.
    until: i64,
}

impl<'t> Link<'t> {
    /// For a tenant's evaluations.
    pub fn new(tenant: &'t Slug, holder: Holder, now: Timestamp) -> Link<'t> {
        Link { tenant, holder, until: (now.as_seconds().div_euclid(STEP_SECONDS) + 2) * STEP_SECONDS }
    }

    /// Its query.
    pub fn query(&self, seal: &Seal) -> String {
        let until = self.until;
        let text = match &self.holder {
            Holder::Key(id) => format!("{until}\nkey\n{id}"),
            Holder::Person { id, until: expires } => {
                format!("{until}\nperson\n{}\n{id}", expires.as_seconds())
            }
        };
        let token = seal.seal(&purpose(self.tenant.as_str()), &text);
        format!("tenant={}&token={token}", self.tenant)
    }
}

/// Who was given a link of this query, if its time is not over.
pub fn holder(seal: &Seal, query: &str, now: Timestamp) -> Option<Holder> {
    let value = |wanted: &str| form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == wanted);
    let ((_, tenant), (_, token)) = (value("tenant")?, value("token")?);
    let text = seal.open(&purpose(&tenant), &token)?;
    let (until, whose) = text.split_once('\n')?;
    if until.parse::<i64>().ok()? <= now.as_seconds() {
        return None;
    }
    match whose.split_once('\n')? {
        ("key", id) => Some(Holder::Key(id.to_owned())),
        ("person", rest) => {
            let (expires, id) = rest.split_once('\n')?;
            let until = Timestamp::from_seconds(expires.parse().ok()?).ok()?;
            Some(Holder::Person { id: id.to_owned(), until })
        }
        _ => None,
    }
}

fn purpose(tenant: &str) -> String {
    format!("follow\n{tenant}")
}
