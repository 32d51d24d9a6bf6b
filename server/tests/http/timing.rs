//! How long an answer takes tells nothing of other tenants.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::secrecy::{ABSENT, World};
use crate::support::Api;

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// A method, and the same path about what is there and about what is not.
type Pair = (&'static str, [String; 2]);
type Bodies = [Option<Value>; 2];

/// The probability that a time of the first list exceeds one of the second (Mann and Whitney's U, divided by the
/// number of pairs): 0.5 if times tell nothing. What else the machine does spoils a few ranks, not their order.
fn probability_of_longer(first: &[Duration], second: &[Duration]) -> f64 {
    let mut second = second.to_vec();
    second.sort();
    let doubled: usize = first
        .iter()
        .map(|time| {
            second.partition_point(|other| other < time) + second.partition_point(|other| other <= time)
        })
        .sum();
    doubled as f64 / (2 * first.len() * second.len()) as f64
}

/// How long both answers take, asked in turn: the rest of the machine's work hits both alike.
async fn timed(api: &Api, ((method, paths), bodies): &(Pair, Bodies), rounds: usize) -> [Vec<Duration>; 2] {
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..2 * rounds {
        // The order within a round changes, too.
        let place = (round + round / 2) % 2;
        let ask = api.ask(method, &*paths[place]);
        let ask = match &bodies[place] {
            Some(body) => ask.json(body.clone()),
            None => ask,
        };
        let started = Instant::now();
        let answer = ask.send().await;
        times[place].push(started.elapsed());
        let is_empty = answer.status == 200 && answer.items().is_empty();
        assert!(is_empty || [403, 404].contains(&answer.status), "{}: {}", answer.what, answer.text);
    }
    times
}

/// How long an answer takes does not tell whether there is something that the caller may not see. Two lists of 200
/// equal times differ by 0.1 once in two thousand tries; the bound is far beyond that, and a pair that exceeds it
/// is measured anew: a difference that is there is there every time.
#[tokio::test]
async fn an_answer_takes_as_long_for_what_is_there() {
    const ROUNDS: usize = 200;
    const TRIES: usize = 3;
    const BOUND: f64 = 0.2;
    let world = World::new().await;
    let (key, member) = (&world.callers[0].1, &world.callers[1].1);
    // Enough of others' tenants that finding them takes time.
    for number in 0..300 {
        let body = json!({ "slug": format!("zebra-{number}"), "name": format!("Zebra {number}"), "plan": "striped" });
        world.operator.post("/tenants").json(body).send().await.is(201);
    }
    let context = |name: &str| Some(json!({ "context": { "targetingKey": name } }));
    let evaluate = |slug: &str| Some(json!({ "tenantSlug": slug }));
    let ofrep = "/ofrep/v1/evaluate/flags";
    let get = |paths: [&str; 2]| (("GET", paths.map(str::to_owned)), [None, None]);
    let post = |path: &str, bodies: Bodies| (("POST", [path.to_owned(), path.to_owned()]), bodies);
    let ids = |kind: &str, other: &str| {
        let [there, absent] = [other, ABSENT].map(|id| format!("/{kind}/{id}"));
        get([&there, &absent])
    };
    let slices = || get(["/flags/slice?tenant=globex", "/flags/slice?tenant=absent"]);
    let pairs: [(&Api, (Pair, Bodies)); 16] = [
        (key, slices()),
        (member, slices()),
        (member, get(["/tenants/globex", "/tenants/absent"])),
        (member, get(["/tenants/globex/subject", "/tenants/absent/subject"])),
        (key, get(["/tenants/globex/subject", "/tenants/absent/subject"])),
        (member, ids("users", &world.users[1])),
        (member, ids("subscriptions", &world.subscriptions[1])),
        (member, get(["/subscriptions?tenant=globex", "/subscriptions?tenant=absent"])),
        (member, get(["/tenants?partner=lumen", "/tenants?partner=absent"])),
        (member, get(["/tenants?q=zebra", "/tenants?q=xebra"])),
        (member, get(["/tenants?q=zebra&counts=true", "/tenants?q=xebra&counts=true"])),
        (member, get(["/tenants?plan=striped", "/tenants?plan=stripeless"])),
        (member, get(["/audit?tenant=globex", "/audit?tenant=absent"])),
        (key, post(ofrep, [context("globex"), context("absent")])),
        (member, post(ofrep, [context(&world.tenant_ids[1]), context(ABSENT)])),
        (key, post("/flags/evaluate", [evaluate("globex"), evaluate("absent")])),
    ];
    for (api, pair) in pairs {
        let mut tries = Vec::new();
        while tries.len() < TRIES {
            let [there, absent] = timed(api, &pair, ROUNDS).await;
            let probability = probability_of_longer(&there, &absent);
            tries.push((probability, median(there), median(absent)));
            if (probability - 0.5).abs() <= BOUND {
                break;
            }
        }
        let (probability, ..) = tries[tries.len() - 1];
        assert!((probability - 0.5).abs() <= BOUND, "{:?}: {tries:?}", pair.0);
    }
}
