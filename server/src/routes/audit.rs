//! The change log: who did what, when, and the proof that it is the one that was written.

use dezky_core::{Action, Change, Digest, Id, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::audit_views::ChangeView;
use super::{CURSOR, LIMIT, TENANT};
use crate::http::authorize::Bound;
use crate::http::call::Call;
use crate::http::operation::{Operation, get};
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
        about: "Of this kind of entity",
        schema: r#"{ "enum": ["tenant", "partner", "user", "subscription", "flag", "key"] }"#,
    },
    Parameter { name: "id", about: "Of the entity of this id; a flag's is its key", schema: TEXT },
    TENANT,
    Parameter {
        name: "actor",
        about: "By the user of this id",
        schema: r#"{ "type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$" }"#,
    },
    Parameter { name: "action", about: "Of this action, such as flag.kill", schema: TEXT },
    Parameter { name: "from", about: "Not before", schema: TIME },
    Parameter { name: "until", about: "Before", schema: TIME },
    LIMIT,
    CURSOR,
];

pub fn operations() -> Vec<Operation> {
    vec![
        get("/audit", Action::AuditRead, list)
            .says("The change log, newest first; owners and admins of a tenant read their tenant's, with who joins and leaves it")
            .bound_to(Bound::TenantOfQueryIfAny)
            .asks(FILTERS)
            .gives::<AuditPage>(),
    ]
}

/// A page of the change log.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct AuditPage {
    items: Vec<ChangeView>,
    next_cursor: Option<String>,
    proof: Proof,
}

/// Whether the page is as it was written: every change's hash was computed anew, and every link between neighbours on the page was followed.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Proof {
    /// Whether all of it holds.
    intact: bool,
    /// The first change, from the oldest on, that does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    broken_at: Option<u64>,
    /// The log's newest revision.
    head_revision: u64,
    /// The hash of the newest change: whoever has kept it can tell whether the log was rewritten.
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
    // A filter leaves gaps: what stands together is judged together.
    let mut runs = oldest_first.chunk_by(|one, next| one.revision + 1 == next.revision);
    runs.find_map(|run| verify_run(run).err()).map(|(revision, _)| revision)
}
