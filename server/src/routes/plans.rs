//! The handlers for plans: the effect of an edit before it is made.

use dezky_core::Error;
use dezky_core::model::{Flag, FlagWarning};
use dezky_core::world::{Counts, Edit, Ladder, Plan, Warning, World};
use serde::Serialize;
use serde_json::Value;

use crate::http::call::Call;
use crate::http::operation::{Body, Operation};
use crate::http::problem::Problem;
use crate::http::reply::Reply;

const EDIT: Body = Body::whole::<Edit>(&["edits"], &["edits"]);

pub const PLAN: Operation = Operation::new(|call| Box::pin(planned(call)))
    .summary(
        "Returns which tenants would gain or lose which flags by an edit, and a digest that a PATCH \
         can require",
    )
    .body(EDIT)
    .returns::<Plan>();

pub const LADDER: Operation = Operation::new(|call| Box::pin(about_flag(call, World::ladder)))
    .summary("Lists the tenants in a flag's scope in the order in which a rising percentage includes them")
    .returns::<Ladder>();

pub const COUNTS: Operation = Operation::new(|call| Box::pin(about_flag(call, World::counts)))
    .summary("Returns the number of tenants for which a flag is on")
    .returns::<Counts>();

async fn planned(call: Call) -> Result<Reply, Problem> {
    let body = Value::Object(call.body.clone());
    let edit = Edit::from_json(body.to_string().as_bytes())?;
    let plan = plan(&call, edit).await?;
    Reply::json(&plan)
}

/// Plans an edit for the current population.
pub async fn plan(call: &Call, edit: Edit) -> Result<Plan, Problem> {
    let environments = call.app.live.read().environments();
    with_world(call, move |world| world.plan_among(&edit, &environments)).await
}

async fn about_flag<T: Serialize + Send + 'static>(
    call: Call,
    compute: fn(&World, &str) -> Result<T, Error>,
) -> Result<Reply, Problem> {
    let key = call.part("key").to_owned();
    let answer = with_world(&call, move |world| compute(world, &key)).await;
    let answer = answer.map_err(|problem| match problem.code() {
        "unknown_flag" => Problem::not_found(),
        _ => problem,
    });
    Reply::json(&answer?)
}

/// Returns warnings about a rule that its author probably did not intend. An empty scope names
/// nothing, so it needs no population.
pub async fn warnings(call: &Call, flag: &Flag) -> Result<Vec<Warning>, Problem> {
    let (rule, live) = (flag.rule(), call.app.live.clone());
    let environments = live.read().environments();
    if rule.scope.is_empty() && FlagWarning::of(rule.state, &rule.scope).is_none() {
        return Ok(Vec::new());
    }
    let task = tokio::task::spawn_blocking(move || Ok(live.names()?.warnings(&rule, &environments))).await;
    task.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// Runs a computation over the whole population on a blocking thread.
async fn with_world<T: Send + 'static>(
    call: &Call,
    compute: impl FnOnce(&World) -> Result<T, Error> + Send + 'static,
) -> Result<T, Problem> {
    let live = call.app.live.clone();
    let task = tokio::task::spawn_blocking(move || compute(&live.world()?)).await;
    match task {
        Ok(answer) => Ok(answer?),
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
