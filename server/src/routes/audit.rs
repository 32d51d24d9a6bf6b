//! The handler for the change log, with a proof of its integrity.

use dezky_core::Timestamp;
use dezky_core::model::Change;
use dezky_core::names::{Digest, Id};
use schemars::JsonSchema;
use serde::Serialize;

use super::audit_views::ChangeView;
use super::{CURSOR, LIMIT, TENANT};
use crate::http::call::Call;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::query::Parameter;
use crate::http::reply::Reply;
use crate::store::{ChangeQuery, PageStart, verify_run};

const TIME: &str = r#"{ "type": "string", "format": "date-time" }"#;
const TEXT: &str = r#"{ "type": "string", "minLength": 1 }"#;
const KINDS: &[&str] = &["tenant", "partner", "user", "subscription", "flag", "key"];

const FILTERS: &[Parameter] = &[
    Parameter {
        name: "entity",
        description: "The kind of the changed entity",
        schema: r#"{ "enum": ["tenant", "partner", "user", "subscription", "flag", "key"] }"#,
    },
    Parameter { name: "id", description: "The id of the changed entity; for a flag, its key", schema: TEXT },
    TENANT,
    Parameter {
        name: "actor",
        description: "The id of the user who made the change",
        schema: r#"{ "type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$" }"#,
    },
    Parameter { name: "action", description: "The action, such as flag.kill", schema: TEXT },
    Parameter { name: "from", description: "The earliest time of the changes", schema: TIME },
    Parameter { name: "until", description: "The time before which the changes were made", schema: TIME },
    LIMIT,
    CURSOR,
];

pub const LIST: Operation = Operation::new(|call| Box::pin(list(call)))
    .summary(
        "Lists the change log, newest first; owners and admins of a tenant read their tenant's \
         changes, including who joins and leaves it",
    )
    .query(FILTERS)
    .returns::<AuditPage>();

/// One page of the change log.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct AuditPage {
    items: Vec<ChangeView>,
    next_cursor: Option<String>,
    proof: Proof,
}

/// The proof of the page: every hash was recomputed, and every link between neighbours on the
/// page was followed.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Proof {
    /// True if every hash and link is correct.
    intact: bool,
    /// The revision of the oldest change with a wrong hash or link.
    #[serde(skip_serializing_if = "Option::is_none")]
    broken_at: Option<u64>,
    /// The newest revision of the log.
    head_revision: u64,
    /// The hash of the newest change; compare it with a kept one to detect a rewritten log.
    head_hash: Digest,
}

async fn list(call: Call) -> Result<Reply, Problem> {
    let query = &call.query;
    let id = |text: &str| Id::new(text).ok();
    let time = |text: &str| Timestamp::parse(text).ok();
    let kind = |word: &str| KINDS.contains(&word).then(|| word.to_owned());
    let below = call.after()?.map(|position| position.key.parse().unwrap_or(0));
    let asked = ChangeQuery {
        kind: query.read("entity", kind)?,
        id: query.get("id").map(str::to_owned),
        tenant: call.target.tenant.as_ref().map(|tenant| tenant.id.clone()),
        actor: query.read("actor", id)?,
        action: query.get("action").map(str::to_owned),
        from: query.read("from", time)?,
        until: query.read("until", time)?,
        below,
        limit: query.limit()? + 1,
    };
    let found = call.app.store.changes(asked).await?;
    let position = |change: &Change| PageStart { key: change.revision.to_string(), id: String::new() };
    let (changes, next_cursor) = call.page(found, position)?;
    let (head_revision, head_hash) = call.app.store.head().await?;
    let broken_at = first_break(&changes);
    let proof = Proof { intact: broken_at.is_none(), broken_at, head_revision, head_hash };
    let items = changes.into_iter().map(|change| ChangeView::new(&call, change)).collect();
    Reply::json(&AuditPage { items, next_cursor, proof })
}

fn first_break(newest_first: &[Change]) -> Option<u64> {
    let mut oldest_first = newest_first.to_vec();
    oldest_first.reverse();
    // A filter leaves gaps, so each run of consecutive revisions is verified by itself.
    let mut runs = oldest_first.chunk_by(|one, next| one.revision + 1 == next.revision);
    runs.find_map(|run| verify_run(run).err()).map(|(revision, _)| revision)
}
