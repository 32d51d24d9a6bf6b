//! What those who belong to one tenant can learn of others: nothing, by any endpoint, header, entity tag, stream, text or time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dezky_server::http::router::OPEN_PATHS;
use dezky_server::routes::ENDPOINTS;
use serde_json::{Value, json};

use crate::support::{Answer, Api, Events, Server};

pub const ABSENT: &str = "0190f5fe-0000-7000-8000-000000000000";

/// What there is to ask about: ours, another's, and what is not there.
pub struct World {
    pub server: Server,
    pub operator: Api,
    pub tenants: [String; 3],
    pub tenant_ids: [String; 3],
    pub users: [String; 3],
    pub subscriptions: [String; 3],
    pub keys: [String; 3],
    pub callers: Vec<(&'static str, Api)>,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

impl World {
    pub async fn new() -> World {
        let server = Server::start();
        let operator = Api::of(&server, "operator").await;
        let users = operator.get("/users").send().await.is(200);
        let user = |name: &str| {
            let is_it = |user: &&Value| user["subject"]["sub"] == format!("dev-{name}");
            text(&users.items().iter().find(is_it).unwrap()["id"])
        };
        let users = [user("member"), user("other"), ABSENT.to_owned()];
        let mut subscriptions = [String::new(), String::new(), ABSENT.to_owned()];
        let mut tenant_ids = [String::new(), String::new(), ABSENT.to_owned()];
        for (place, slug) in ["acme", "globex"].into_iter().enumerate() {
            let found = operator.get(format!("/subscriptions?tenant={slug}")).send().await.is(200);
            subscriptions[place] = found.each("id")[0].to_owned();
            tenant_ids[place] =
                text(&operator.get(format!("/tenants/{slug}")).send().await.is(200).body["id"]);
        }
        let of_tenant =
            |slug: &str| json!({ "name": format!("Key of {slug}"), "kind": "tenant", "tenantSlug": slug });
        let (own, secret) = server.key(of_tenant("acme")).await;
        let keys = [own, server.key(of_tenant("globex")).await.0, ABSENT.to_owned()];
        for (key, state, scope) in [
            ("for_others", "targeted", json!({ "tenantSlugs": ["globex"] })),
            ("for_their_plan", "rollout", json!({ "plans": ["enterprise"] })),
            ("for_their_partner", "targeted", json!({ "partnerSlugs": ["lumen"] })),
            ("for_some", "targeted", json!({ "tenantSlugs": ["acme", "globex"] })),
        ] {
            let body = json!({ "key": key, "state": state, "pct": 30, "scope": scope });
            operator.post("/flags").json(body).send().await.is(201);
        }
        let callers = vec![
            ("a tenant's key", Api::with_key(&server, &secret).await),
            ("a member", Api::of(&server, "member").await),
            ("nobody", Api::nobody(&server).await),
            ("an owner", Api::of(&server, "owner").await),
        ];
        let tenants = ["acme", "globex", "absent"].map(str::to_owned);
        World { server, operator, tenants, tenant_ids, users, subscriptions, keys, callers }
    }

    /// Every question that can be put with GET or POST, about each of the three. `/metrics` is left out: it is open to everybody who reaches
    /// the server, and shows totals of all tenants, so the proxy in front has to keep it from tenants.
    fn questions(&self) -> Vec<[(String, String, Option<Value>); 3]> {
        let mut asked: Vec<(String, &str)> =
            ENDPOINTS.iter().map(|endpoint| (endpoint.method.to_string(), endpoint.path)).collect();
        asked.retain(|(method, path)| ["GET", "POST"].contains(&&**method) && *path != "/ofrep/v1/stream");
        let open = OPEN_PATHS.iter().filter(|path| **path != "/metrics");
        asked.extend(open.map(|path| ("GET".to_owned(), *path)));
        let mut questions = Vec::new();
        for (method, path) in asked {
            questions.push([0, 1, 2].map(|whose| self.question(&method, path, whose, false)));
            if path.contains("slice")
                || path == "/audit"
                || path == "/subscriptions"
                || path.starts_with("/ofrep")
            {
                questions.push([0, 1, 2].map(|whose| self.question(&method, path, whose, true)));
            }
        }
        questions
    }

    fn question(
        &self,
        method: &str,
        path: &str,
        whose: usize,
        further: bool,
    ) -> (String, String, Option<Value>) {
        let slug = &*self.tenants[whose];
        let ids = match path.split('/').nth(1) {
            Some("users") => &self.users,
            Some("subscriptions") => &self.subscriptions,
            _ => &self.keys,
        };
        let flag = ["for_some", "for_others", "meetings_e2ee"][whose];
        let mut asked = path.replace("{slug}", slug).replace("{id}", &ids[whose]).replace("{key}", flag);
        if further && !path.starts_with("/ofrep") {
            asked.push_str(&format!("?tenant={slug}"));
        }
        let name = if further { &*self.tenant_ids[whose] } else { slug };
        let body = match path {
            _ if method == "GET" => None,
            "/flags/evaluate" => Some(json!({ "tenantSlug": slug })),
            _ if path.starts_with("/ofrep") => Some(json!({ "context": { "targetingKey": name } })),
            "/tenants" => Some(json!({ "slug": slug, "name": "N", "plan": "free" })),
            "/partners" => Some(json!({ "slug": slug, "name": "N" })),
            "/flags" => Some(json!({ "key": flag, "state": "on" })),
            "/flags/plan" => Some(json!({ "edits": [{ "kind": "deleteFlag", "key": flag }] })),
            "/keys" => Some(json!({ "name": "N", "kind": "tenant", "tenantSlug": slug })),
            "/subscriptions" => {
                Some(json!({ "tenantId": self.tenant_ids[whose], "plan": "free", "status": "active",
                "price": { "amount": 1, "currency": "eur", "interval": "month" } }))
            }
            "/flags/{key}/restore" => Some(json!({ "revision": 1 })),
            "/keys/{id}/rotate" => Some(json!({})),
            _ => None,
        };
        (method.to_owned(), asked, body)
    }

    /// Everything that a caller is answered.
    async fn walk(&self, api: &Api) -> Vec<Seen> {
        let mut seen = Vec::new();
        for (method, path, body) in self.questions().into_iter().flatten() {
            seen.push(Seen::of(api, &method, &path, body).await);
        }
        seen
    }

    /// What names others: their slugs, names and ids, and those of partners.
    async fn others(&self) -> Vec<String> {
        let mut names = Vec::new();
        let own_partner = self.operator.get("/tenants/acme").send().await.is(200).body["partnerId"].clone();
        let tenants = self.operator.get("/tenants?limit=200").send().await.is(200);
        let partners = self.operator.get("/partners?limit=200").send().await.is(200);
        let users = self.operator.get("/users?limit=200").send().await.is(200);
        for tenant in tenants.items().iter().filter(|tenant| tenant["slug"] != "acme") {
            names.push(text(&tenant["id"]));
            // The platform's own tenant is called as the product is.
            if tenant["slug"] != "dezky" {
                names.extend([text(&tenant["slug"]), text(&tenant["name"])]);
            }
        }
        for partner in partners.items() {
            names.push(text(&partner["name"]));
            // Which partner a tenant has is part of its own subject.
            if partner["id"] != own_partner {
                names.extend([text(&partner["id"]), text(&partner["slug"])]);
            }
        }
        for user in users.items() {
            let tenants = user["tenantIds"].as_array().unwrap();
            // Who operates the platform is named where they changed something of ours.
            if !tenants.is_empty() && !tenants.iter().any(|id| *id == *self.tenant_ids[0]) {
                names.extend([text(&user["id"]), text(&user["email"])]);
            }
        }
        names.extend([self.subscriptions[1].clone(), self.keys[1].clone()]);
        assert!(names.len() > 30, "{names:?}");
        names
    }
}

/// All that one can see of an answer.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    what: String,
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Seen {
    async fn of(api: &Api, method: &str, path: &str, body: Option<Value>) -> Seen {
        let ask = || {
            let ask = api.ask(method, path);
            let ask = if method == "GET" { ask } else { ask.on_any() };
            match &body {
                Some(body) => ask.json(body.clone()),
                None => ask,
            }
        };
        let answer = ask().send().await;
        let mut seen = Seen::new(&answer);
        if answer.header("content-type") == "text/event-stream" {
            seen.body = format!("{:?}", ask().open().await.next().await);
        }
        seen
    }

    fn new(answer: &Answer) -> Seen {
        let mut headers: Vec<(String, String)> = answer
            .headers
            .iter()
            .filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()))
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        headers.sort();
        let id = answer.header("x-request-id");
        let mut text = answer.text.clone();
        // The log is one chain, and its owners are shown its newest link, to keep: that something happened shows there, and not what.
        if let Some((items, _)) = text.split_once("\"proof\":") {
            text = items.to_owned();
            headers.retain(|(name, _)| name != "content-length");
        }
        let (what, body) = (answer.what.clone(), text.replace(&id, "-"));
        Seen { what, status: answer.status, headers, body }
    }
}

/// Links of streams are made anew every five minutes: what is compared stands on one side of that.
async fn within_one_link() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let left = 300 - now % 300;
    if left < 60 {
        tokio::time::sleep(Duration::from_secs(left + 1)).await;
    }
}

#[track_caller]
fn same(whose: &str, before: &[Seen], after: &[Seen], is_left_out: impl Fn(&Seen) -> bool) -> usize {
    assert_eq!(before.len(), after.len());
    let compared = before.iter().zip(after).filter(|(before, _)| !is_left_out(before));
    compared.inspect(|(before, after)| assert_eq!(before, after, "{whose}")).count()
}

#[track_caller]
fn names_nobody(whose: &str, seen: &[Seen], others: &[String]) {
    for seen in seen {
        let (headers, asked) = (format!("{:?}", seen.headers), &seen.what);
        for other in others {
            // The question may name them, and a refusal of OFREP repeats the flag's key; an answer does not.
            assert!(
                !seen.body.contains(other.as_str()) && !headers.contains(other.as_str()),
                "{whose}: {asked} names {other}: {}",
                seen.body
            );
        }
    }
}

/// What happens to other tenants and has nothing to do with flags.
async fn others_are_changed(world: &World) {
    let api = &world.operator;
    let patch = async |path: &str, change: Value| api.patch(path).on_any().json(change).send().await.is(200);
    patch(
        "/tenants/globex",
        json!({ "name": "Globex Renamed", "plan": "free", "domains": ["globex.example"] }),
    )
    .await;
    patch("/partners/lumen", json!({ "name": "Lumen Renamed", "marginPct": 3 })).await;
    patch("/partners/nordlys", json!({ "name": "Nordlys Renamed" })).await;
    let lumen = api.get("/partners/lumen").send().await.is(200).body["id"].clone();
    patch("/tenants/globex", json!({ "partnerId": null })).await;
    patch("/tenants/initech", json!({ "partnerId": lumen })).await;
    patch("/tenants/initech", json!({ "plan": "business" })).await;
    let new = json!({ "slug": "upstart", "name": "Upstart", "plan": "business" });
    let made = api.post("/tenants").json(new).send().await.is(201).body;
    api.post("/partners")
        .json(json!({ "slug": "fresh-partner", "name": "Fresh Partner" }))
        .send()
        .await
        .is(201);
    api.post("/tenants/hooli/suspend").on_any().send().await.is(200);
    api.delete("/tenants/stark").on_any().send().await.is(200);
    patch(&format!("/users/{}", world.users[1]), json!({ "name": "Another Name", "role": "owner" })).await;
    let initech = api.get("/tenants/initech").send().await.is(200).body["id"].clone();
    let memberships = json!({ "tenantIds": [world.tenant_ids[1], initech] });
    patch(&format!("/users/{}", world.users[1]), memberships).await;
    patch(&format!("/subscriptions/{}", world.subscriptions[1]), json!({ "plan": "free" })).await;
    let body = json!({ "tenantId": made["id"], "plan": "business", "status": "active",
        "price": { "amount": 77, "currency": "eur", "interval": "month" } });
    api.post("/subscriptions").json(body).send().await.is(201);
    world.server.tenant_key("upstart").await;
    world.server.server_key().await;
    let staging =
        json!({ "name": "Staging", "kind": "tenant", "tenantSlug": "initech", "environment": "staging" });
    let (id, secret) = world.server.key(staging).await;
    Api::with_key(&world.server, &secret).await.get("/flags/slice?tenant=initech").send().await.is(200);
    api.delete(format!("/keys/{id}")).send().await.is(200);
    Api::of(&world.server, "other").await.get("/users/me").send().await.is(200);
    Api::of(&world.server, "stranger").await.get("/users/me").send().await.is(200);
}

/// What happens to flags and leaves every explanation of acme's alone.
async fn flags_of_others_are_changed(world: &World) {
    let patch = async |key: &str, change: Value| {
        world.operator.patch(format!("/flags/{key}")).on_any().json(change).send().await.is(200)
    };
    patch("for_others", json!({ "scope": { "tenantSlugs": ["globex", "initech", "upstart"] } })).await;
    patch("for_others", json!({ "state": "rollout", "pct": 55 })).await;
    patch("for_their_plan", json!({ "pct": 80 })).await;
    patch(
        "for_their_plan",
        json!({ "scope": { "plans": ["enterprise", "free"], "tenantSlugs": ["globex"] } }),
    )
    .await;
    patch("for_their_partner", json!({ "scope": { "partnerSlugs": ["lumen", "fresh-partner"] } })).await;
    patch("for_some", json!({ "scope": { "tenantSlugs": ["acme", "initech", "hooli"] } })).await;
    patch("for_some", json!({ "description": "Only people read this." })).await;
}

#[tokio::test]
async fn what_happens_to_others_changes_no_byte() {
    within_one_link().await;
    let world = World::new().await;
    for (_, api) in &world.callers {
        // What a first visit writes is written.
        world.walk(api).await;
    }
    let mut first = Vec::new();
    for (_, api) in &world.callers {
        first.push(world.walk(api).await);
    }
    let mut streams: Vec<Events> = Vec::new();
    for (whose, api) in &world.callers[..2] {
        streams.push(api.get("/flags/slice/stream?tenant=acme").open().await);
        let context = json!({ "context": { "targetingKey": "acme" } });
        let all = api.post("/ofrep/v1/evaluate/flags").json(context).send().await.is(200);
        let link = text(&all.body["eventStreams"][0]["endpoint"]["requestUri"]);
        streams.push(world.callers[2].1.get(link).open().await);
        assert!(whose.starts_with('a'));
    }
    for stream in &mut streams {
        stream.next().await;
    }
    let others = world.others().await;
    others_are_changed(&world).await;
    let now_others = world.others().await;
    for ((whose, api), before) in world.callers.iter().zip(&first) {
        let after = world.walk(api).await;
        let compared = same(whose, before, &after, |_| false);
        assert!(compared > 3 * 35, "{compared}");
        names_nobody(whose, before, &others);
        names_nobody(whose, &after, &now_others);
    }
    flags_of_others_are_changed(&world).await;
    for ((whose, api), before) in world.callers.iter().zip(&first) {
        let after = world.walk(api).await;
        // Every active user may read every flag's state and version, though not whom it is for: a change of a flag shows there, nothing else.
        let is_flags_own = |seen: &Seen| {
            seen.status == 200 && (seen.what == "GET /flags" || seen.what.starts_with("GET /flags/for_"))
        };
        same(whose, before, &after, is_flags_own);
        let shown = before.iter().filter(|seen| is_flags_own(seen)).count();
        assert_eq!(shown, if ["a member", "an owner"].contains(whose) { 5 } else { 0 });
        names_nobody(whose, &after, &now_others);
    }
    for stream in &mut streams {
        stream.is_silent(Duration::from_millis(200)).await;
    }
    // The walk sees what there is to see: its own tenant's change shows, and its streams are told.
    world.operator.patch("/tenants/acme").on_any().json(json!({ "name": "Renamed" })).send().await.is(200);
    for ((whose, api), before) in world.callers[..2].iter().zip(&first) {
        assert_ne!(world.walk(api).await, *before, "{whose}");
    }
    for stream in &mut streams {
        stream.next().await;
    }
}

/// A kill is everybody's business. Of whom it was for, it says nothing.
#[tokio::test]
async fn a_kill_of_others_flag_names_nobody() {
    let world = World::new().await;
    world.operator.post("/flags/for_others/kill").on_any().send().await.is(200);
    world.operator.delete("/flags/for_their_partner").on_any().send().await.is(200);
    let body = json!({ "key": "brand_new", "state": "targeted", "scope": { "tenantSlugs": ["initech"] } });
    world.operator.post("/flags").json(body).send().await.is(201);
    let others = world.others().await;
    for (whose, api) in &world.callers {
        names_nobody(whose, &world.walk(api).await, &others);
    }
}

/// What one asks about another tenant is answered as if there were none.
#[tokio::test]
async fn anothers_answers_are_those_of_what_is_not_there() {
    let world = World::new().await;
    let mut refusals = 0;
    for (whose, api) in &world.callers {
        for [_, other, absent] in world.questions() {
            // Flags are everybody's to read.
            if other.1.starts_with("/flags/for_")
                || other.1.starts_with("/flags/meetings")
                || other.1.contains("flags/for_")
            {
                continue;
            }
            let seen = Seen::of(api, &other.0, &other.1, other.2).await;
            let not_there = Seen::of(api, &absent.0, &absent.1, absent.2).await;
            assert_eq!(
                (seen.status, &seen.headers, &seen.body),
                (not_there.status, &not_there.headers, &not_there.body),
                "{whose}: {}",
                seen.what
            );
            refusals += usize::from(seen.status >= 400);
        }
    }
    assert!(refusals > 80, "{refusals}");
}
