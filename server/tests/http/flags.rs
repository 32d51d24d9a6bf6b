//! Flags: how they are made, changed, killed and brought back, and what is told of it.

use std::sync::LazyLock;

use dezky_core::flags::{Ruleset, Snapshot, Subject};
use serde_json::{Value, json};

use crate::support::{Answer, Api, Server};

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

async fn operator() -> Api {
    Api::of(&SERVER, "operator").await
}

async fn make(api: &Api, body: Value) -> Answer {
    api.post("/flags").json(body).send().await
}

async fn patch(api: &Api, key: &str, change: Value) -> Answer {
    api.patch(format!("/flags/{key}")).on_any().json(change).send().await
}

async fn read(api: &Api, key: &str) -> Value {
    api.get(format!("/flags/{key}")).send().await.is(200).body
}

fn no_scope() -> Value {
    json!({ "plans": [], "tenantSlugs": [], "partnerSlugs": [], "environments": [] })
}

#[tokio::test]
async fn a_flag_is_made_whole() {
    let api = operator().await;
    let scope = json!({ "plans": ["business", "alpha"], "environments": ["production"] });
    let body =
        json!({ "key": "made", "state": "rollout", "pct": 12.5, "scope": scope, "description": "Made." });
    let made = make(&api, body).await.is(201);
    assert_eq!(made.header("location"), "/flags/made");
    assert_eq!((&made.body["state"], &made.body["pct"]), (&json!("rollout"), &json!(12.5)));
    assert_eq!(made.body["scope"]["plans"], json!(["alpha", "business"]));
    assert!(made.body.get("warning").is_none());
    let read = api.get("/flags/made").send().await.is(200);
    assert_eq!(read.etag(), made.etag());
    assert_eq!(read.body["history"].as_array().unwrap().len(), 1);
    let least = make(&api, json!({ "key": "least", "state": "off" })).await.is(201).body;
    assert_eq!((&least["pct"], &least["scope"], &least["description"]), (&json!(0), &no_scope(), &json!("")));
    make(&api, json!({ "key": "made", "state": "off" })).await.refused(409, "taken").at("/key");
    for (wrong, code, at) in [
        (json!({ "key": "No", "state": "on" }), "invalid_flag_key", "/key"),
        (json!({ "key": "a:b", "state": "on" }), "invalid_flag_key", "/key"),
        (json!({ "key": "a", "state": "maybe" }), "unknown_state", "/state"),
        (json!({ "key": "a", "state": "rollout", "pct": 101 }), "invalid_pct", "/pct"),
        (json!({ "key": "a", "state": "rollout", "pct": 1.234 }), "pct_precision", "/pct"),
        (json!({ "key": "a", "state": "on", "scope": { "plans": "p" } }), "wrong_type", "/scope/plans"),
        (json!({ "state": "on" }), "missing", "/key"),
        (json!({ "key": "a", "state": "rollout", "pct": "25" }), "wrong_type", "/pct"),
        (json!({ "key": "a", "state": "on", "scop": {} }), "unknown_field", "/scop"),
        (json!({ "key": "a", "state": "on", "scope": { "plan": [] } }), "unknown_field", "/scope/plan"),
        (json!({ "key": "a", "state": "on", "history": [] }), "unknown_field", "/history"),
    ] {
        make(&api, wrong).await.refused(422, code).at(at);
    }
}

#[tokio::test]
async fn a_flag_of_which_only_its_name_is_said_is_off() {
    let api = operator().await;
    let made = make(&api, json!({ "key": "bare", "description": "What it will do." })).await.is(201).body;
    assert_eq!((&made["state"], &made["pct"], &made["scope"]), (&json!("off"), &json!(0), &no_scope()));
    assert_eq!(made["description"], "What it will do.");
    make(&api, json!({ "key": "barer", "state": null })).await.is(201);
    assert_eq!(read(&api, "barer").await["state"], "off");
}

/// What is expected is named: the type, the range, and the nearest member.
#[tokio::test]
async fn a_refusal_says_what_is_expected() {
    let api = operator().await;
    let detail = async |body: Value| {
        let refused = make(&api, body).await;
        assert_eq!(refused.status, 422);
        refused.body["detail"].as_str().unwrap().to_owned()
    };
    let pct = detail(json!({ "key": "said", "state": "rollout", "pct": "25" })).await;
    assert!(pct.contains("a number") && pct.contains("a string") && pct.contains("0 to 100"), "{pct}");
    let state = detail(json!({ "key": "said", "state": 1 })).await;
    assert!(state.contains("off, on, targeted or rollout"), "{state}");
    let member = detail(json!({ "key": "said", "scop": {} })).await;
    assert!(member.contains("`scope`"), "{member}");
    let axis = detail(json!({ "key": "said", "scope": { "plan": ["free"] } })).await;
    assert!(axis.contains("`plans`"), "{axis}");
}

#[tokio::test]
async fn the_names_of_paths_are_no_keys() {
    let api = operator().await;
    for key in ["evaluate", "plan", "snapshot", "slice", "stream", "reach"] {
        make(&api, json!({ "key": key, "state": "on" })).await.refused(422, "reserved_key").at("/key");
    }
}

#[tokio::test]
async fn an_allow_list_of_nobody_is_warned_of() {
    let api = operator().await;
    let warned = make(&api, json!({ "key": "nobody", "state": "targeted" })).await.is(201).body;
    assert_eq!(warned["warning"], "targets_nobody");
    let scope = json!({ "tenantSlugs": ["acme"] });
    let fine = patch(&api, "nobody", json!({ "scope": scope })).await.is(200).body;
    assert!(fine.get("warning").is_none());
    let warned = patch(&api, "nobody", json!({ "scope": null })).await.is(200).body;
    assert_eq!((&warned["warning"], &warned["scope"]), (&json!("targets_nobody"), &no_scope()));
}

#[tokio::test]
async fn a_scope_without_effect_and_names_that_nobody_has_are_warned_of() {
    let server = Server::start();
    let api = Api::of(&server, "operator").await;
    let scope = json!({ "plans": ["bussiness", "free"], "tenantSlugs": ["acme", "acmee"],
        "partnerSlugs": ["nobodys-partner"], "environments": ["prodution", "production"] });
    let flag = json!({ "key": "warned", "state": "on", "scope": scope });
    let codes = |warnings: &Value| -> Vec<String> {
        let said =
            |each: &Value| format!("{} {}", each["code"].as_str().unwrap(), each["path"].as_str().unwrap());
        warnings.as_array().unwrap().iter().map(said).collect()
    };
    let expected = |prefix: &str| {
        [
            "scope_ignored ",
            "unknown_name /plans/0",
            "unknown_name /tenantSlugs/1",
            "unknown_name /partnerSlugs/0",
            "unknown_name /environments/1",
        ]
        .map(|each| each.replacen(' ', &format!(" {prefix}/scope"), 1))
    };
    let edits = json!({ "edits": [{ "kind": "putFlag", "flag": flag }] });
    let plan = api.post("/flags/plan").json(edits).send().await.is(200).body;
    assert_eq!(codes(&plan["warnings"]), expected("/edits/0/flag"));
    let made = make(&api, flag).await.is(201).body;
    assert_eq!(made["warning"], "scope_ignored");
    let warnings = &made["warnings"];
    assert_eq!(codes(warnings), expected(""));
    let nearest = |at: usize| (warnings[at]["name"].clone(), warnings[at]["nearest"].clone());
    assert_eq!(nearest(1), (json!("bussiness"), json!("business")));
    assert_eq!(nearest(2), (json!("acmee"), json!("acme")));
    assert_eq!(nearest(4), (json!("prodution"), json!("production")));
    // They are told to whoever writes, not to whoever reads.
    assert!(read(&api, "warned").await.get("warnings").is_none());
    let change = json!({ "state": "targeted", "scope": { "plans": ["free"], "partnerSlugs": null, "environments": null } });
    let edits = json!({ "edits": [{ "kind": "patchFlag", "key": "warned", "patch": change }] });
    let plan = api.post("/flags/plan").json(edits).send().await.is(200).body;
    assert_eq!(codes(&plan["warnings"]), ["unknown_name /edits/0/patch/scope/tenantSlugs/1"]);
    let changed = patch(&api, "warned", change).await.is(200).body;
    assert_eq!(codes(&changed["warnings"]), ["unknown_name /scope/tenantSlugs/1"]);
    assert!(changed.get("warning").is_none());
    let fine = patch(&api, "warned", json!({ "scope": { "tenantSlugs": ["acme"] } })).await.is(200).body;
    assert!(fine.get("warnings").is_none());
    // A key's environment exists from then on; the first of its kind is warned of.
    let key = json!({ "name": "Stage", "kind": "server", "environment": "prodution" });
    let made = api.post("/keys").json(key.clone()).send().await.is(201).body;
    assert_eq!(codes(&made["warnings"]), ["unknown_name /environment"]);
    assert_eq!(made["warnings"][0]["nearest"], "production");
    assert!(api.post("/keys").json(key).send().await.is(201).body.get("warnings").is_none());
    let fine =
        patch(&api, "warned", json!({ "scope": { "environments": ["prodution"] } })).await.is(200).body;
    assert!(fine.get("warnings").is_none());
}

#[tokio::test]
async fn a_kill_is_off_for_everybody_at_once() {
    let api = operator().await;
    let scope = json!({ "plans": ["business"] });
    make(&api, json!({ "key": "killed", "state": "rollout", "pct": 100, "scope": scope })).await.is(201);
    let is_on = || async {
        let body = json!({ "tenantSlug": "acme" });
        api.post("/flags/evaluate").json(body).send().await.is(200).body["killed"].clone()
    };
    assert_eq!(is_on().await, true);
    let killed = api.post("/flags/killed/kill").on_any().send().await.is(200);
    assert_eq!((&killed.body["state"], &killed.body["pct"]), (&json!("off"), &json!(0)));
    assert_eq!(killed.body["scope"]["plans"], json!(["business"]));
    assert_eq!(is_on().await, false);
    let again = api.post("/flags/killed/kill").on(&killed.etag()).send().await.is(200);
    assert_eq!((again.etag(), &again.body["version"]), (killed.etag(), &killed.body["version"]));
    let log = api.get("/audit?entity=flag&id=killed").send().await.is(200);
    assert_eq!(log.each("action"), ["flag.kill", "flag.create"]);
    api.post("/flags/absent/kill").on_any().send().await.refused(404, "not_found");
}

#[tokio::test]
async fn a_flag_can_be_brought_back_to_any_of_its_states() {
    let api = operator().await;
    make(&api, json!({ "key": "back", "state": "on", "description": "First." })).await.is(201);
    let change =
        json!({ "state": "rollout", "pct": 33.33, "scope": { "plans": ["free"] }, "description": "Second." });
    patch(&api, "back", change).await.is(200);
    api.post("/flags/back/kill").on_any().send().await.is(200);
    let history = read(&api, "back").await["history"].clone();
    let revisions: Vec<u64> =
        history.as_array().unwrap().iter().map(|entry| entry["revision"].as_u64().unwrap()).collect();
    assert!(revisions.is_sorted_by(|newer, older| newer > older), "{revisions:?}");
    let restore = async |revision: u64| {
        let body = json!({ "revision": revision });
        api.post("/flags/back/restore").on_any().json(body).send().await
    };
    for entry in history.as_array().unwrap().iter().rev() {
        let restored = restore(entry["revision"].as_u64().unwrap()).await.is(200).body;
        for member in ["state", "pct", "scope", "description"] {
            assert_eq!(restored[member], entry["after"][member], "{member}");
        }
    }
    let version = read(&api, "back").await["version"].clone();
    let same = restore(revisions[0]).await.is(200).body;
    assert_eq!(same["version"], version, "it is so already");
    restore(0).await.refused(422, "unknown_revision").at("/revision");
    let answer = api.post("/flags/back/restore").on_any().json(json!({ "revision": -1 })).send().await;
    answer.refused(422, "invalid_revision").at("/revision");
    let answer = api.post("/flags/back/restore").on_any().json(json!({})).send().await;
    answer.refused(422, "missing").at("/revision");
}

#[tokio::test]
async fn the_history_is_what_the_log_says() {
    let api = operator().await;
    make(&api, json!({ "key": "history", "state": "off" })).await.is(201);
    for pct in 1..=24 {
        patch(&api, "history", json!({ "state": "rollout", "pct": pct })).await.is(200);
    }
    let history = read(&api, "history").await["history"].clone();
    let history = history.as_array().unwrap();
    assert_eq!(history.len(), 20);
    let log = api.get("/audit?entity=flag&id=history&limit=200").send().await.is(200);
    assert_eq!(log.items().len(), 25);
    for (entry, change) in history.iter().zip(log.items()) {
        assert_eq!((&entry["revision"], &entry["at"]), (&change["revision"], &change["at"]));
        assert_eq!(entry["by"], change["actor"]["email"]);
        assert_eq!(entry["by"], "operator@dezky.example");
        for (content, document) in [("before", "before"), ("after", "after")] {
            for member in ["state", "pct", "scope", "description"] {
                assert_eq!(entry[content][member], change[document][member], "{member}");
            }
        }
    }
    for pair in history.windows(2) {
        assert_eq!(pair[0]["before"], pair[1]["after"]);
    }
    // The list has none: it would be long.
    let listed = api.get("/flags").send().await.is(200);
    assert!(listed.items().iter().all(|flag| flag.get("history").is_none() && flag.get("scope").is_some()));
    let keys = listed.each("key");
    assert!(keys.is_sorted() && keys.contains(&"jmap_native_v2"));
}

#[tokio::test]
async fn a_flag_made_anew_has_a_history_of_its_own() {
    let api = operator().await;
    make(&api, json!({ "key": "anew", "state": "on", "description": "Old." })).await.is(201);
    let old = read(&api, "anew").await["history"][0]["revision"].clone();
    let gone = api.delete("/flags/anew").on_any().send().await.is(200);
    assert_eq!(gone.body["description"], "Old.");
    api.get("/flags/anew").send().await.refused(404, "not_found");
    api.delete("/flags/anew").on_any().send().await.refused(404, "not_found");
    make(&api, json!({ "key": "anew", "state": "off", "description": "New." })).await.is(201);
    let history = read(&api, "anew").await["history"].clone();
    assert_eq!(history.as_array().unwrap().len(), 1);
    assert_eq!(history[0]["after"]["description"], "New.");
    assert!(history[0].get("before").is_none());
    let answer = api.post("/flags/anew/restore").on_any().json(json!({ "revision": old })).send().await;
    answer.refused(422, "unknown_revision");
    let log = api.get("/audit?entity=flag&id=anew").send().await.is(200);
    assert_eq!(log.each("action"), ["flag.create", "flag.delete", "flag.create"]);
}

#[tokio::test]
async fn members_see_neither_scope_nor_history() {
    let member = Api::of(&SERVER, "member").await;
    let flag = read(&member, "jmap_native_v2").await;
    let mut members: Vec<&String> = flag.as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(members, ["createdAt", "description", "key", "pct", "state", "updatedAt", "version"]);
    let listed = member.get("/flags").send().await.is(200);
    for flag in listed.items() {
        assert!(flag.get("scope").is_none() && flag.get("history").is_none() && flag.get("key").is_some());
    }
    let admin = Api::of(&SERVER, "admin").await;
    assert!(read(&admin, "jmap_native_v2").await["history"].is_array());
}

/// What the server says is what core says of the same flags and the same tenants.
#[tokio::test]
async fn evaluation_is_cores_own() {
    let api = operator().await;
    let scopes = [
        json!({}),
        json!({ "plans": ["business"] }),
        json!({ "partnerSlugs": ["nordlys"] }),
        json!({ "tenantSlugs": ["acme", "hooli"], "environments": ["production"] }),
        json!({ "environments": ["staging"] }),
    ];
    for (number, scope) in scopes.iter().enumerate() {
        for (state, pct) in
            [("on", 0.0), ("targeted", 0.0), ("rollout", 0.0), ("rollout", 37.25), ("rollout", 100.0)]
        {
            let key = format!("core-{number}-{state}-{}", pct as u32);
            make(&api, json!({ "key": key, "state": state, "pct": pct, "scope": scope })).await.is(201);
        }
    }
    let partners = api.get("/partners").send().await.is(200);
    let tenants = api.get("/tenants?status=active&limit=200").send().await.is(200);
    // Other tests change flags meanwhile: only these are compared.
    let listed = api.get("/flags").send().await.is(200);
    let own = |flag: &&Value| flag["key"].as_str().unwrap().starts_with("core-");
    let flags: Vec<Value> = listed.items().iter().filter(own).cloned().collect();
    assert_eq!(flags.len(), 25);
    let document = json!({ "format": 1, "revision": 1, "environment": "production", "flags": flags });
    let rules = Ruleset::new(Snapshot::from_json(document.to_string().as_bytes()).unwrap());
    let mut decisions = [0, 0];
    for tenant in tenants.items() {
        let text = |member: &str| tenant[member].as_str().unwrap();
        let subject = Subject::new(text("id"), text("slug"), text("plan")).unwrap();
        let partner = partners.items().iter().find(|partner| partner["id"] == tenant["partnerId"]);
        let subject = match partner {
            Some(partner) => subject.with_partner(partner["slug"].as_str().unwrap()).unwrap(),
            None => subject,
        };
        let asked = json!({ "tenantSlug": text("slug") });
        let plain = api.post("/flags/evaluate").json(asked.clone()).send().await.is(200).body;
        let explained = api.post("/flags/evaluate?explain=true").json(asked).send().await.is(200).body;
        for key in rules.keys() {
            let why: Value = serde_json::from_str(&rules.explain(key, &subject).to_json()).unwrap();
            assert_eq!(plain[key], why["enabled"], "{key} for {}", text("slug"));
            assert_eq!(explained[key], why, "{key} for {}", text("slug"));
            decisions[usize::from(why["enabled"].as_bool().unwrap())] += 1;
        }
    }
    assert!(tenants.items().len() >= 12 && decisions.iter().all(|&count| count > 50), "{decisions:?}");
}

#[tokio::test]
async fn evaluation_is_for_a_tenant_that_is_there() {
    let api = operator().await;
    let ask = |body: Value| api.post("/flags/evaluate").json(body);
    ask(json!({ "tenantSlug": "absent" })).send().await.refused(404, "not_found");
    let whole = ask(json!({ "tenantSlug": "acme" })).send().await.is(200).body;
    assert!(
        whole.as_object().unwrap().len() >= 10 && whole.as_object().unwrap().values().all(Value::is_boolean)
    );
    ask(json!({ "tenantSlug": "acme", "plan": "x" })).send().await.refused(422, "unknown_field").at("/plan");
}
