//! Sealed links: short-lived URLs for readers that cannot send headers, such as `EventSource`.

use dezky_core::Timestamp;
use dezky_core::names::Slug;

use super::seal::Seal;

/// The expiry is rounded to this step, so that links within a step are equal and a reader with a
/// repeated link stays connected.
const STEP_SECONDS: i64 = 300;

/// The person or machine that a link was issued to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Holder {
    /// A machine key with this id.
    Key(String),
    /// A person with this user record.
    Person {
        /// The id of the record.
        id: String,
        /// The expiry of the access token for which the link was issued.
        until: Timestamp,
    },
}

/// A link to follow the evaluations of one tenant, valid for five to ten minutes.
#[derive(Debug, Hash)]
pub struct Link<'t> {
    tenant: &'t Slug,
    holder: Holder,
    // The expiry in seconds since 1970.
    until: i64,
}

impl<'t> Link<'t> {
    /// Creates a link to the evaluations of a tenant.
    pub fn new(tenant: &'t Slug, holder: Holder, now: Timestamp) -> Link<'t> {
        Link { tenant, holder, until: (now.as_seconds().div_euclid(STEP_SECONDS) + 2) * STEP_SECONDS }
    }

    /// Returns the query string with the sealed token.
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

/// Returns the holder of a link, if its seal is valid and it has not expired.
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
