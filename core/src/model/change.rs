//! The change, an entry of the change log, and its hash (specification sections 16.1 and 16.2).

use alloc::{
    borrow::ToOwned,
    string::{String, ToString},
};

use serde::Serialize;
use serde_json::Value;

use crate::Timestamp;
use crate::hash::Hasher;
use crate::json::{decode_objects, push_canonical};
use crate::names::{Digest, Email, Id, Label};

/// An entry of the change log: one write to one entity, and the hash of the change before it.
///
/// ```
/// use dezky_core::Timestamp;
/// use dezky_core::model::{Actor, ChangeContent, EntityRef, verify_chain};
/// use dezky_core::names::{Digest, Label};
/// let content = ChangeContent {
///     at: Timestamp::EPOCH,
///     actor: Actor::default(),
///     action: Label::new("flag.create")?,
///     entity: EntityRef { kind: Label::new("flag")?, id: Label::new("new_billing_engine")? },
///     before: serde_json::Value::Null,
///     after: serde_json::json!({ "state": "off" }),
/// };
/// let first = content.clone().follow(None);
/// let second = content.follow(Some(&first));
/// assert_eq!(verify_chain(&[first, second.clone()])?, second.hash);
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The revision of the change before, plus one.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = crate::limits::MAX_REVISION)))]
    pub revision: u64,
    /// The author, the action and the documents before and after it.
    #[serde(flatten)]
    pub content: ChangeContent,
    /// The hash of the change before, or 64 zeros in the first change.
    pub previous_hash: Digest,
    /// The hash of all other members of the change.
    pub hash: Digest,
}

/// The author of a change.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
pub struct Actor {
    /// The id of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// The e-mail address of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
}

/// A reference to the entity that a change wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
pub struct EntityRef {
    /// The kind of the entity, such as `tenant`.
    pub kind: Label,
    /// The id or key of the entity.
    pub id: Label,
}

/// A change without its revision and its hashes. [`follow`](ChangeContent::follow) adds them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
pub struct ChangeContent {
    /// The time of the change.
    pub at: Timestamp,
    /// The author of the change.
    pub actor: Actor,
    /// The action, such as `flag.update`.
    pub action: Label,
    /// The entity that the change wrote.
    pub entity: EntityRef,
    /// The document before the change, or `null` if the change created it.
    pub before: Value,
    /// The document after the change, or `null` if the change removed it.
    pub after: Value,
}

impl ChangeContent {
    /// Returns the change that follows `previous`, or the first change of a log.
    ///
    /// The numbers in `before` and `after` must be portable (specification section 16.2): reading
    /// the change rejects other numbers.
    pub fn follow(self, previous: Option<&Change>) -> Change {
        let revision = previous.map_or(0, |previous| previous.revision) + 1;
        let previous_hash = previous.map_or_else(Digest::zero, |previous| previous.hash.clone());
        let unhashed = Change { revision, content: self, previous_hash, hash: Digest::zero() };
        Change { hash: unhashed.expected_hash(), ..unhashed }
    }
}

impl Change {
    /// Returns the hash of the canonical form of the change without its member `hash`.
    pub(super) fn expected_hash(&self) -> Digest {
        let ChangeContent { at, actor, action, entity, before, after } = &self.content;
        let id = actor.id.as_ref().map(|id| ("id", id.as_str()));
        let email = actor.email.as_ref().map(|email| ("email", email.as_str()));
        let content = object([
            ("revision", Value::from(self.revision)),
            ("at", Value::from(at.to_string())),
            ("actor", object(id.into_iter().chain(email))),
            ("action", Value::from(action.as_str())),
            ("entity", object([("kind", entity.kind.as_str()), ("id", entity.id.as_str())])),
            ("before", before.clone()),
            ("after", after.clone()),
            ("previousHash", Value::from(self.previous_hash.as_str())),
        ]);
        let mut text = String::new();
        push_canonical(&mut text, &content);
        let mut hasher = Hasher::new();
        hasher.update(&text);
        hasher.digest()
    }
}

fn object<V: Into<Value>>(members: impl IntoIterator<Item = (&'static str, V)>) -> Value {
    Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect())
}

decode_objects! {
    Actor {
        id: optional("id"),
        email: optional("email"),
    }
    EntityRef {
        kind: required("kind"),
        id: required("id"),
    }
    ChangeContent {
        at: required("at"),
        actor: or_default("actor"),
        action: required("action"),
        entity: required("entity"),
        before: or_default("before"),
        after: or_default("after"),
    }
    Change {
        revision: required_revision("revision", 1),
        content: embedded(),
        previous_hash: required("previousHash"),
        hash: required("hash"),
    }
}
