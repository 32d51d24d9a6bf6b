//! The change log's entry, and the hash that ties it to the one before.

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

/// One write: who did what to which entity, what was before and after, and the hash of the change before.
///
/// ```
/// use dezky_core::Timestamp;
/// use dezky_core::model::{Actor, ChangeContent, Entity, verify_chain};
/// use dezky_core::names::{Digest, Label};
/// let content = ChangeContent {
///     at: Timestamp::EPOCH,
///     actor: Actor::default(),
///     action: Label::new("flag.create")?,
///     entity: Entity { kind: Label::new("flag")?, id: Label::new("new_billing_engine")? },
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
    /// One more than the change before.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = crate::limits::MAX_REVISION)))]
    pub revision: u64,
    /// What happened.
    #[serde(flatten)]
    pub content: ChangeContent,
    /// The hash of the change before; 64 zeros before the first.
    pub previous_hash: Digest,
    /// The hash of all of the above.
    pub hash: Digest,
}

/// Who made a change.
///
/// ```
/// assert_eq!(dezky_core::model::Actor::default().id, None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
pub struct Actor {
    /// Their id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// Their e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
}

/// What a change was made to.
///
/// ```
/// use dezky_core::model::Entity;
/// use dezky_core::names::Label;
/// let entity = Entity { kind: Label::new("tenant")?, id: Label::new("t1")? };
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
pub struct Entity {
    /// What it is.
    pub kind: Label,
    /// Which one it is.
    pub id: Label,
}

/// What happened, whichever place it has in the log.
///
/// ```
/// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
/// # let content = ChangeContent {
/// #     at: Timestamp::EPOCH, actor: Actor::default(), action: Label::new("flag.create")?,
/// #     entity: Entity { kind: Label::new("flag")?, id: Label::new("a")? },
/// #     before: serde_json::Value::Null, after: serde_json::Value::Null,
/// # };
/// assert_eq!(content.follow(None).revision, 1);
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
pub struct ChangeContent {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What was done.
    pub action: Label,
    /// To what.
    pub entity: Entity,
    /// The entity's document before; `null` where it was made.
    pub before: Value,
    /// The entity's document after; `null` where it was removed.
    pub after: Value,
}

impl ChangeContent {
    /// The change that follows another, or that begins a log.
    ///
    /// Numbers in its documents should be whole ones of 64 bits, or decimals from 0.0001 up to 10^15: others are refused when the change is
    /// read back.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// # let content = ChangeContent {
    /// #     at: Timestamp::EPOCH, actor: Actor::default(), action: Label::new("flag.create")?,
    /// #     entity: Entity { kind: Label::new("flag")?, id: Label::new("a")? },
    /// #     before: serde_json::Value::Null, after: serde_json::Value::Null,
    /// # };
    /// let first = content.clone().follow(None);
    /// assert_eq!(content.follow(Some(&first)).previous_hash, first.hash);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn follow(self, previous: Option<&Change>) -> Change {
        let revision = previous.map_or(0, |previous| previous.revision) + 1;
        let previous_hash = previous.map_or_else(Digest::zero, |previous| previous.hash.clone());
        let unsealed = Change { revision, content: self, previous_hash, hash: Digest::zero() };
        Change { hash: unsealed.expected_hash(), ..unsealed }
    }
}

impl Change {
    /// The hash that its content should have: that of its canonical form without the hash.
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
    Entity {
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
