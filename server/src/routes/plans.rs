//! What an edit would do, before it is made.

use dezky_core::{Counts, Edit, Error, Flag, FlagWarning, Ladder, Plan, Warning, World};
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

/// The plan of an edit, for the population as it is now.
pub async fn plan(call: &Call, edit: Edit) -> Result<Plan, Problem> {
    let environments = call.app.live.read().environments();
    of_world(call, move |world| world.plan_among(&edit, &environments)).await
}

async fn about_flag<T: Serialize + Send + 'static>(
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

/// What of a flag is seldom meant. Only an empty scope names nobody, and needs no population.
pub async fn warnings(call: &Call, flag: &Flag) -> Result<Vec<Warning>, Problem> {
    let (rule, live) = (flag.rule(), call.app.live.clone());
    let environments = live.read().environments();
    if rule.scope.is_empty() && FlagWarning::of(rule.state, &rule.scope).is_none() {
        return Ok(Vec::new());
    }
    let asked = tokio::task::spawn_blocking(move || Ok(live.names()?.warnings(&rule, &environments))).await;
    asked.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
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
