//! Response times do not tell whether another tenant's record exists.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::two_tenants::{ABSENT, TwoTenants};
use crate::support::Api;

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// A method, with a path of a record that exists and of one that does not.
type Pair = (&'static str, [String; 2]);
type Bodies = [Option<Value>; 2];

/// The probability that a time of the first list exceeds one of the second: Mann and Whitney's U
/// divided by the number of pairs. It is 0.5 if times tell nothing. Other load on the machine
/// shifts few ranks.
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

/// Measures both requests in alternation, so that other load on the machine affects both alike.
async fn timed(api: &Api, ((method, paths), bodies): &(Pair, Bodies), rounds: usize) -> [Vec<Duration>; 2] {
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..2 * rounds {
        // The order within a pair of requests alternates as well.
        let index = (round + round / 2) % 2;
        let request = api.request(method, &*paths[index]);
        let request = match &bodies[index] {
            Some(body) => request.json(body.clone()),
            None => request,
        };
        let started = Instant::now();
        let answer = request.send().await;
        times[index].push(started.elapsed());
        let is_empty = answer.status == 200 && answer.items().is_empty();
        assert!(is_empty || [403, 404].contains(&answer.status), "{}: {}", answer.what, answer.text);
    }
    times
}

/// Two lists of 200 times from one distribution differ by 0.1 once in two thousand measurements.
/// The bound is far beyond that, and a pair that exceeds it is measured again: a real difference
/// remains.
#[tokio::test]
async fn response_times_do_not_tell_whether_a_record_exists() {
    const ROUNDS: usize = 200;
    const TRIES: usize = 3;
    const BOUND: f64 = 0.2;
    let scene = TwoTenants::new().await;
    // So many tenants that finding them takes time.
    for number in 0..300 {
        let body = json!({ "slug": format!("zebra-{number}"), "name": format!("Zebra {number}"), "plan": "striped" });
        scene.operator.post("/tenants").json(body).send().await.is(201);
    }
    for (api, pair) in request_pairs(&scene) {
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

/// Requests about globex and its records, paired with requests about absent ones.
fn request_pairs(scene: &TwoTenants) -> [(&Api, (Pair, Bodies)); 16] {
    let (key, member) = (&scene.callers[0].1, &scene.callers[1].1);
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
    [
        (key, slices()),
        (member, slices()),
        (member, get(["/tenants/globex", "/tenants/absent"])),
        (member, get(["/tenants/globex/subject", "/tenants/absent/subject"])),
        (key, get(["/tenants/globex/subject", "/tenants/absent/subject"])),
        (member, ids("users", &scene.users[1])),
        (member, ids("subscriptions", &scene.subscriptions[1])),
        (member, get(["/subscriptions?tenant=globex", "/subscriptions?tenant=absent"])),
        (member, get(["/tenants?partner=lumen", "/tenants?partner=absent"])),
        (member, get(["/tenants?q=zebra", "/tenants?q=xebra"])),
        (member, get(["/tenants?q=zebra&counts=true", "/tenants?q=xebra&counts=true"])),
        (member, get(["/tenants?plan=striped", "/tenants?plan=stripeless"])),
        (member, get(["/audit?tenant=globex", "/audit?tenant=absent"])),
        (key, post(ofrep, [context("globex"), context("absent")])),
        (member, post(ofrep, [context(&scene.tenant_ids[1]), context(ABSENT)])),
        (key, post("/flags/evaluate", [evaluate("globex"), evaluate("absent")])),
    ]
}
