//! What an edit would do, before it is made.

use dezky_core::{Action, Counts, Edit, Error, Ladder, Plan, World};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::http::call::Call;
use crate::http::operation::{Body, Operation, get, post};

use crate::http::problem::{Finding, Problem};
use crate::http::reply::Reply;

const EDIT: Body = Body::whole::<Edit>(&["edits"], &["edits"]);

pub fn operations() -> Vec<Operation> {
    vec![
        post("/flags/plan", Action::FlagPlan, planned)
            .says("Exactly who would gain and lose which flag by an edit, and a digest that a PATCH can insist on")
            .takes(EDIT)
            .gives::<Plan>(),
        get("/flags/{key}/ladder", Action::FlagPlan, |call| about(call, World::ladder))
            .says("The tenants in a flag's scope in the order in which a rising percentage includes them")
            .gives::<Ladder>(),
        get("/flags/{key}/counts", Action::FlagPlan, |call| about(call, World::counts))
            .says("For how many tenants a flag is on")
            .gives::<Counts>(),
    ]
}

async fn planned(call: Call) -> Result<Reply, Problem> {
    let body = Value::Object(call.body.clone());
    let edit = Edit::from_json(body.to_string().as_bytes())?;
    refuse_unknown(&body)?;
    let plan = plan(&call, edit).await?;
    Reply::json(&plan)
}

/// The plan of an edit, for the population as it is now.
pub async fn plan(call: &Call, edit: Edit) -> Result<Plan, Problem> {
    of_world(call, move |world| world.plan(&edit)).await
}

async fn about<T: Serialize + Send + 'static>(
    call: Call,
    ask: fn(&World, &str) -> Result<T, Error>,
) -> Result<Reply, Problem> {
    let key = call.part("key").to_owned();
    let answer = of_world(&call, move |world| ask(world, &key)).await;
    let answer = answer.map_err(|problem| match problem.code() {
        "unknown_flag" => Problem::not_found(),
        _ => problem,
    });
    Reply::json(&answer?)
}

/// Asks the whole population something, away from the threads that answer everybody else.
async fn of_world<T: Send + 'static>(
    call: &Call,
    ask: impl FnOnce(&World) -> Result<T, Error> + Send + 'static,
) -> Result<T, Problem> {
    let live = call.app.live.clone();
    let asked = tokio::task::spawn_blocking(move || ask(&live.world()?)).await;
    match asked {
        Ok(answer) => Ok(answer?),
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Members of an edit that core would pass over: whoever writes one means something by it.
fn refuse_unknown(edit: &Value) -> Result<(), Problem> {
    let mut findings = Vec::new();
    let steps = edit.get("edits").and_then(Value::as_array).into_iter().flatten();
    for (index, step) in steps.enumerate() {
        let known: &[&str] = match step.get("kind").and_then(Value::as_str) {
            Some("putFlag") => &["kind", "flag"],
            Some("deleteFlag") => &["kind", "key"],
            _ => &["kind", "tenantId", "plan", "partnerSlug"],
        };
        let flag = step.get("flag");
        let levels = [
            (Some(step), "", known),
            (flag, "/flag", &["key", "state", "pct", "scope"]),
            (
                flag.and_then(|flag| flag.get("scope")),
                "/flag/scope",
                &["plans", "tenantSlugs", "partnerSlugs", "environments"],
            ),
        ];
        for (object, path, known) in levels {
            let unknown = |members: &Map<String, Value>| {
                members.keys().filter(|name| !known.contains(&name.as_str())).cloned().collect::<Vec<_>>()
            };
            let unknown = object.and_then(Value::as_object).map(unknown).unwrap_or_default();
            findings.extend(unknown.into_iter().map(|name| Finding {
                path: format!("/edits/{index}{path}/{}", name.replace('~', "~0").replace('/', "~1")),
                code: "unknown_field",
                detail: "This member is not known here".into(),
            }));
        }
    }
    findings.truncate(dezky_core::limits::MAX_PROBLEMS);
    if findings.is_empty() { Ok(()) } else { Err(Problem::of_findings(findings)) }
}
