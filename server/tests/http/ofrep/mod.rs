//! OFREP as its clients use it: the mapping of flag states, errors, entity tags and stream links.

mod consistency;
mod errors;
mod etags;
mod limits;
mod links;
mod states;

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::support::{Answer, Api, Server};

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

const BULK: &str = "/ofrep/v1/evaluate/flags";

fn context(tenant: &str) -> Value {
    json!({ "context": { "targetingKey": tenant } })
}

/// Evaluates all flags, and asserts what every OFREP client relies on.
async fn bulk(api: &Api, tenant: &str) -> Answer {
    let answer = api.post(BULK).json(context(tenant)).send().await.is(200);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    assert!(answer.header("content-type") == "application/json" && !answer.etag().is_empty());
    for flag in answer.body["flags"].as_array().unwrap() {
        assert_complete(flag);
    }
    let keys: Vec<String> =
        answer.body["flags"].as_array().unwrap().iter().map(|flag| text(&flag["key"])).collect();
    assert!(keys.is_sorted_by(|one, next| one < next), "{keys:?}");
    assert_flat(&answer.body["metadata"]);
    let [stream] = &answer.body["eventStreams"].as_array().unwrap()[..] else { panic!("{}", answer.text) };
    assert_eq!((&stream["type"], &stream["inactivityDelaySec"]), (&json!("sse"), &json!(120)));
    assert!(
        stream.get("url").is_some() != stream.get("endpoint").is_some(),
        "a stream has either a URL or an endpoint"
    );
    let members: Vec<&String> = answer.body.as_object().unwrap().keys().collect();
    assert_eq!(members.len(), 3, "{members:?}");
    answer
}

/// Evaluates one flag, and asserts what every OFREP client relies on.
async fn single(api: &Api, key: &str, tenant: &str) -> Value {
    let answer = api.post(format!("{BULK}/{key}")).json(context(tenant)).send().await.is(200);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_complete(&answer.body);
    assert_eq!(answer.body["key"], key);
    answer.body
}

/// Asserts that metadata has only strings, numbers and booleans as values.
fn assert_flat(metadata: &Value) {
    let members = metadata.as_object().unwrap();
    assert!(
        members.values().all(|value| value.is_string() || value.is_number() || value.is_boolean()),
        "{metadata}"
    );
}

/// Asserts that every client understands the evaluation: it has all members, a reason that OFREP
/// names or DEFAULT, and the value of its variant.
fn assert_complete(flag: &Value) {
    let mut members: Vec<&String> = flag.as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(members, ["key", "metadata", "reason", "value", "variant"], "{flag}");
    let reason = flag["reason"].as_str().unwrap();
    assert!(["STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED", "DEFAULT"].contains(&reason), "{flag}");
    assert_eq!(flag["variant"], if flag["value"].as_bool().unwrap() { "on" } else { "off" }, "{flag}");
    assert_flat(&flag["metadata"]);
    for member in ["version", "flagSetId", "contextId"] {
        assert!(flag["metadata"][member].is_string(), "{flag}");
    }
}

async fn create_flag(operator: &Api, key: &str, state: &str, pct: f64, scope: Value) {
    let body = json!({ "key": key, "state": state, "pct": pct, "scope": scope });
    operator.post("/flags").json(body).send().await.is(201);
}

/// The path of the event stream that a bulk answer links to.
fn link(answer: &Answer) -> String {
    let endpoint = &answer.body["eventStreams"][0]["endpoint"];
    assert_eq!(endpoint.as_object().unwrap().len(), 1, "the origin is that of the request");
    endpoint["requestUri"].as_str().unwrap().to_owned()
}
