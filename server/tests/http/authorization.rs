//! Every route for every kind of caller, written down by hand from the rules; and that what one may not see looks like what is not there.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use dezky_server::http::router::OPEN_PATHS;
use dezky_server::routes::ENDPOINTS;
use serde_json::{Value, json};

use crate::support::{Answer, Api, Server};

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

/// The columns. The tenant asked about is acme: `member` and `owner` belong to it, `other` to globex; `admin` is the operator with a portal's
/// token, `support` has an operator's token and runs nothing, `former` did, `stranger` has no record, `inactive` was a member. The last four
/// are machine keys: a server's, acme's, globex's, and a server's that was revoked.
const CALLERS: [&str; 15] = [
    "nobody",
    "forged",
    "member",
    "other",
    "owner",
    "admin",
    "support",
    "operator",
    "former",
    "stranger",
    "inactive",
    "serverKey",
    "tenantKey",
    "otherKey",
    "revoked",
];

/// What the words in the cells stand for.
const WORDS: [(&str, u16, &str); 12] = [
    ("none", 401, "token_missing"),
    ("sign", 401, "token_signature"),
    ("aud", 403, "denied_operator_audience"),
    ("adm", 403, "denied_not_platform_admin"),
    ("mem", 403, "denied_not_member"),
    ("role", 403, "denied_role"),
    ("gone", 403, "denied_inactive_user"),
    ("new", 403, "denied_no_user"),
    ("key", 403, "denied_key_scope"),
    ("void", 401, "key_unknown"),
    ("link", 401, "link_invalid"),
    ("404", 404, "not_found"),
];

/// A route a line; some have a second line with another query or another target.
#[rustfmt::skip]
const TABLE: &[&str] = &[
    //                                 nobody forged member other owner admin support operator former stranger inactive serverKey tenantKey otherKey revoked
    "GET    /tenants                   none   sign   200    200   200   200   200     200      gone   new      gone   key       key       key      void",
    "POST   /tenants                   none   sign   aud    aud   aud   aud   adm     201      gone   new      gone   key       key       key      void",
    "GET    /tenants/{slug}            none   sign   200    404   200   200   404     200      gone   new      gone   404       404       404      void",
    "PATCH  /tenants/{slug}            none   sign   role   404   200   aud   404     200      gone   new      gone   404       404       404      void",
    "DELETE /tenants/{slug}            none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "POST   /tenants/{slug}/suspend    none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "POST   /tenants/{slug}/resume     none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "POST   /tenants/{slug}/activate   none   sign   aud    aud   aud   aud   adm     409      gone   new      gone   key       key       key      void",
    "GET    /tenants/{slug}/users      none   sign   200    404   200   200   404     200      gone   new      gone   404       404       404      void",
    "GET    /tenants/{slug}/subject    none   sign   200    404   200   200   404     200      gone   new      gone   200       200       404      void",
    "GET    /subjects                  none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   200       key       key      void",
    "GET    /partners                  none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "POST   /partners                  none   sign   aud    aud   aud   aud   adm     201      gone   new      gone   key       key       key      void",
    "GET    /partners/{slug}           none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "PATCH  /partners/{slug}           none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "DELETE /partners/{slug}           none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "GET    /partners/{slug}/tenants   none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "GET    /users                     none   sign   adm    adm   adm   200   adm     200      gone   new      gone   key       key       key      void",
    "GET    /users/{id}                none   sign   200    404   200   200   404     200      gone   new      gone   404       404       404      void",
    "GET    /users/{id} colleague      none   sign   404    404   200   200   404     200      gone   new      gone   404       404       404      void",
    "PATCH  /users/{id}                none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "DELETE /users/{id}                none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "GET    /subscriptions             none   sign   200    200   200   200   200     200      gone   new      gone   key       key       key      void",
    "GET    /subscriptions ?tenant     none   sign   200    200   200   200   200     200      gone   new      gone   key       key       key      void",
    "POST   /subscriptions             none   sign   aud    aud   aud   aud   adm     201      gone   new      gone   key       key       key      void",
    "GET    /subscriptions/mrr         none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "GET    /subscriptions/{id}        none   sign   200    404   200   200   404     200      gone   new      gone   404       404       404      void",
    "PATCH  /subscriptions/{id}        none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "DELETE /subscriptions/{id}        none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "GET    /flags                     none   sign   200    200   200   200   mem     200      gone   new      gone   key       key       key      void",
    "POST   /flags                     none   sign   aud    aud   aud   aud   adm     201      gone   new      gone   key       key       key      void",
    "POST   /flags/evaluate            none   sign   200    404   200   200   404     200      gone   new      gone   200       200       404      void",
    "POST   /flags/plan                none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "GET    /flags/{key}               none   sign   200    200   200   200   mem     200      gone   new      gone   key       key       key      void",
    "PATCH  /flags/{key}               none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "DELETE /flags/{key}               none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "POST   /flags/{key}/kill          none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "POST   /flags/{key}/restore       none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "GET    /flags/{key}/ladder        none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "GET    /flags/{key}/counts        none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "GET    /flags/snapshot            none   sign   aud    aud   aud   aud   adm     200      gone   new      gone     200       key       key      void",
    "GET    /flags/stream              none   sign   aud    aud   aud   aud   adm     200      gone   new      gone     200       key       key      void",
    "GET    /flags/slice               none   sign   200    404   200   200   404     200      gone   new      gone     200       200       404      void",
    "GET    /flags/slice/stream        none   sign   200    404   200   200   404     200      gone   new      gone     200       200       404      void",
    "GET    /flags/reach               none   sign   aud    aud   aud   aud   adm     200      gone   new      gone     key       key       key      void",
    // Whoever asks for a tenant that is not theirs is told that, whether there is one or not.
    "POST   /ofrep/v1/evaluate/flags   none   sign   200    mem   200   200   mem     200      gone   new      gone     200       200       key      void",
    "POST   /ofrep/v1/evaluate/flags/{key} none sign   200    mem   200   200   mem     200      gone   new      gone     200       200       key      void",
    // By its link alone: who else one is does not count.
    "GET    /ofrep/v1/stream           link   link   link   link  link  link  link    link     link   link     link     link      link      link     link",
    "GET    /ofrep/v1/stream linked    200    200    200    200   200   200   200     200      200    200      200      200       200       200      200",
    "GET    /keys                      none   sign   aud    aud   aud   aud   adm     200      gone   new      gone     key       key       key      void",
    "POST   /keys                      none   sign   aud    aud   aud   aud   adm     201      gone   new      gone     key       key       key      void",
    "GET    /keys/{id}                 none   sign   aud    aud   aud   aud   adm     200      gone   new      gone     key       key       key      void",
    "POST   /keys/{id}/rotate          none   sign   aud    aud   aud   aud   adm     200      gone   new      gone     key       key       key      void",
    "DELETE /keys/{id}                 none   sign   aud    aud   aud   aud   adm     200      gone   new      gone     key       key       key      void",
    "GET    /audit                     none   sign   mem    mem   mem   aud   mem     200      gone   new      gone   key       key       key      void",
    "GET    /audit ?tenant             none   sign   role   404   200   aud   404     200      gone   new      gone   404       404       404      void",
    "GET    /audit/export              none   sign   mem    mem   mem   aud   mem     200      gone   new      gone   key       key       key      void",
    "POST   /audit/verify              none   sign   mem    mem   mem   aud   mem     200      gone   new      gone   key       key       key      void",
    // Last: it makes the stranger's record.
    "GET    /users/me                  none   sign   200    200   200   200   200     200      gone   200      gone   key       key       key      void",
    "GET    /healthz                   200    200    200    200   200   200   200     200      200    200      200    200       200       200      200",
    "GET    /readyz                    200    200    200    200   200   200   200     200      200    200      200    200       200       200      200",
    "GET    /metrics                   200    200    200    200   200   200   200     200      200    200      200    200       200       200      200",
    "GET    /openapi.json              200    200    200    200   200   200   200     200      200    200      200    200       200       200      200",
    "GET    /docs                      200    200    200    200   200   200   200     200      200    200      200    200       200       200      200",
];

struct Row {
    method: &'static str,
    path: &'static str,
    variant: &'static str,
    cells: Vec<&'static str>,
}

fn rows() -> Vec<Row> {
    TABLE.iter().map(|line| row(line)).collect()
}

fn row(line: &'static str) -> Row {
    let mut words: Vec<&str> = line.split_whitespace().collect();
    let cells = words.split_off(words.len() - CALLERS.len());
    Row { method: words[0], path: words[1], variant: words.get(2).copied().unwrap_or_default(), cells }
}

async fn caller(name: &str) -> Api {
    let with_key = async |secret: String| Api::with_key(&SERVER, &secret).await;
    match name {
        "serverKey" => with_key(SERVER.server_key().await).await,
        "tenantKey" => with_key(SERVER.tenant_key("acme").await).await,
        "otherKey" => with_key(SERVER.tenant_key("globex").await).await,
        "revoked" => {
            let (id, secret) = SERVER.key(json!({ "name": "Was one", "kind": "server" })).await;
            let operator = Api::of(&SERVER, "operator").await;
            operator.delete(format!("/keys/{id}")).send().await.is(200);
            with_key(secret).await
        }
        "nobody" => Api::nobody(&SERVER).await,
        "forged" => Api::nobody(&SERVER).await.with_token(&forged(&SERVER.token("operator").await)),
        persona => Api::of(&SERVER, persona).await,
    }
}

/// An operator's token with another token's signature: the form is right, and nothing else is.
fn forged(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (first, rest) = signature.split_at(1);
    format!("{signed}.{}{rest}", if first == "A" { "B" } else { "A" })
}

/// What there is to ask about.
struct World {
    operator: Api,
    member: String,
    owner: String,
    inactive: String,
    subscription: String,
    key: String,
}

impl World {
    async fn new() -> World {
        let operator = Api::of(&SERVER, "operator").await;
        let users = operator.get("/users").send().await.is(200);
        let id = |name: &str| {
            let user = users.items().iter().find(|user| user["subject"]["sub"] == format!("dev-{name}"));
            user.unwrap()["id"].as_str().unwrap().to_owned()
        };
        let (member, owner, inactive) = (id("member"), id("owner"), id("inactive"));
        let subscriptions = operator.get("/subscriptions?tenant=acme").send().await.is(200);
        let subscription = subscriptions.each("id")[0].to_owned();
        let (key, _) = SERVER.key(json!({ "name": "Looked at", "kind": "server" })).await;
        World { operator, member, owner, inactive, subscription, key }
    }

    async fn tenant(&self) -> Value {
        let slug = fresh("tenant");
        let body = json!({ "slug": slug, "name": "Fresh", "plan": "business" });
        self.operator.post("/tenants").json(body).send().await.is(201).body
    }

    /// The address and the body of a question that is well put; about something fresh where the answer would use it up.
    async fn question(&self, row: &Row, succeeds: bool) -> (String, Option<Value>) {
        let route = format!("{} {}", row.method, row.path);
        let (slug, id, key, body) = match route.as_str() {
            "POST /tenants" => {
                return ("/tenants".into(), Some(json!({ "slug": fresh("t"), "name": "T", "plan": "free" })));
            }
            "POST /partners" => {
                return ("/partners".into(), Some(json!({ "slug": fresh("p"), "name": "P" })));
            }
            "POST /flags" => return ("/flags".into(), Some(json!({ "key": fresh("f"), "state": "off" }))),
            "POST /subscriptions" => {
                let tenant = self.operator.get("/tenants/acme").send().await.is(200).body["id"].clone();
                return ("/subscriptions".into(), Some(subscription(&tenant)));
            }
            "POST /flags/evaluate" => {
                return ("/flags/evaluate".into(), Some(json!({ "tenantSlug": "acme" })));
            }
            "POST /flags/plan" => {
                let edit = json!({ "kind": "putFlag", "flag": { "key": "planned", "state": "on" } });
                return ("/flags/plan".into(), Some(json!({ "edits": [edit] })));
            }
            "PATCH /tenants/{slug}" => ("acme".into(), "", "", Some(json!({ "name": fresh("Acme ") }))),
            "DELETE /tenants/{slug}"
            | "POST /tenants/{slug}/suspend"
            | "POST /tenants/{slug}/resume"
            | "POST /tenants/{slug}/activate"
                if succeeds =>
            {
                let tenant = self.tenant().await;
                let slug = tenant["slug"].as_str().unwrap().to_owned();
                if route.ends_with("resume") {
                    self.operator.post(format!("/tenants/{slug}/suspend")).on_any().send().await.is(200);
                }
                (slug, "", "", None)
            }
            "PATCH /partners/{slug}" => {
                ("nordlys".into(), "", "", Some(json!({ "name": fresh("Nordlys ") })))
            }
            "DELETE /partners/{slug}" if succeeds => {
                let slug = fresh("p");
                let body = json!({ "slug": slug, "name": "P" });
                self.operator.post("/partners").json(body).send().await.is(201);
                (slug, "", "", None)
            }
            _ if row.path.starts_with("/partners") => ("nordlys".into(), "", "", None),
            "GET /users/{id}" if row.variant == "colleague" => (String::new(), &*self.owner, "", None),
            "PATCH /users/{id}" => (String::new(), &*self.member, "", Some(json!({ "name": fresh("Mia ") }))),
            "DELETE /users/{id}" => (String::new(), &*self.inactive, "", None),
            _ if row.path.starts_with("/users") => (String::new(), &*self.member, "", None),
            "PATCH /subscriptions/{id}" => {
                (String::new(), &*self.subscription, "", Some(json!({ "plan": fresh("plan") })))
            }
            "DELETE /subscriptions/{id}" if succeeds => {
                let body = subscription(&self.tenant().await["id"]);
                let made = self.operator.post("/subscriptions").json(body).send().await.is(201).body;
                return (format!("/subscriptions/{}", made["id"].as_str().unwrap()), None);
            }
            _ if row.path.starts_with("/subscriptions") => (String::new(), &*self.subscription, "", None),
            "PATCH /flags/{key}" => {
                (String::new(), "", "meetings_e2ee", Some(json!({ "description": fresh("Text ") })))
            }
            "POST /flags/{key}/restore" => {
                let history = self.operator.get("/flags/meetings_e2ee").send().await.is(200).body;
                let revision = history["history"][0]["revision"].clone();
                (String::new(), "", "meetings_e2ee", Some(json!({ "revision": revision })))
            }
            "POST /keys" => return ("/keys".into(), Some(json!({ "name": "New", "kind": "server" }))),
            "DELETE /keys/{id}" if succeeds => {
                let (id, _) = SERVER.key(json!({ "name": "For a moment", "kind": "server" })).await;
                return (format!("/keys/{id}"), None);
            }
            "POST /keys/{id}/rotate" => (String::new(), &*self.key, "", Some(json!({}))),
            _ if row.path.starts_with("/keys") => (String::new(), &*self.key, "", None),
            "GET /ofrep/v1/stream" if row.variant == "linked" => {
                let asked = self.operator.post("/ofrep/v1/evaluate/flags").json(context("acme"));
                let endpoint = &asked.send().await.is(200).body["eventStreams"][0]["endpoint"];
                return (endpoint["requestUri"].as_str().unwrap().to_owned(), None);
            }
            "GET /ofrep/v1/stream" | "GET /flags/slice" | "GET /flags/slice/stream" => {
                return (format!("{}?tenant=acme", row.path), None);
            }
            _ if row.path.starts_with("/ofrep") => {
                (String::new(), "", "meetings_e2ee", Some(context("acme")))
            }
            "DELETE /flags/{key}" | "POST /flags/{key}/kill" if succeeds => {
                let key = fresh("f");
                let body = json!({ "key": key, "state": "on" });
                self.operator.post("/flags").json(body).send().await.is(201);
                return (row.path.replace("{key}", &key), None);
            }
            _ => ("acme".into(), "", "meetings_e2ee", None),
        };
        let path = row.path.replace("{slug}", &slug).replace("{id}", id).replace("{key}", key);
        let query = if row.variant == "?tenant" { "?tenant=acme" } else { "" };
        (format!("{path}{query}"), body)
    }
}

/// Whose flags are asked for, as OFREP has it.
fn context(tenant: &str) -> Value {
    json!({ "context": { "targetingKey": tenant } })
}

fn subscription(tenant: &Value) -> Value {
    json!({
        "tenantId": tenant, "plan": "business", "status": "active",
        "price": { "amount": 1000, "currency": "eur", "interval": "month" },
    })
}

fn fresh(prefix: &str) -> String {
    format!("{prefix}{}", uuid::Uuid::now_v7().simple())
}

async fn asked(api: &Api, method: &str, path: &str, body: Option<Value>) -> Answer {
    let ask = api.ask(method, path);
    let ask = if method == "GET" { ask } else { ask.on_any() };
    match body {
        Some(body) => ask.json(body).send().await,
        None => ask.send().await,
    }
}

#[test]
fn the_table_has_every_route_and_no_other() {
    let written: BTreeSet<(String, String)> =
        rows().iter().map(|row| (row.method.to_owned(), row.path.to_owned())).collect();
    let served = ENDPOINTS.iter().map(|endpoint| (endpoint.method.to_string(), endpoint.path.to_owned()));
    let open = OPEN_PATHS.iter().map(|path| ("GET".to_owned(), (*path).to_owned()));
    let served: BTreeSet<(String, String)> = served.chain(open).collect();
    assert_eq!(written, served);
    assert!(ENDPOINTS.len() >= 50, "the routes of the first version, and those of delivery");
}

#[tokio::test]
async fn every_route_answers_every_caller_as_written() {
    let world = World::new().await;
    let mut callers = Vec::new();
    for name in CALLERS {
        callers.push((name, caller(name).await));
    }
    let mut wrong = Vec::new();
    for row in rows() {
        for ((name, api), cell) in callers.iter().zip(&row.cells) {
            let word = WORDS.iter().find(|(word, ..)| word == cell);
            let (path, body) = world.question(&row, word.is_none()).await;
            let answer = asked(api, row.method, &path, body).await;
            let expected = match word {
                Some((_, status, code)) => format!("{status} {code}"),
                None if *cell == "409" => "409 invalid_transition".to_owned(),
                None => format!("{cell} "),
            };
            let given = format!("{} {}", answer.status, answer.code());
            if given != expected {
                wrong.push(format!("{name}: {} {path}: {given}, not {expected}", row.method));
            }
            if answer.status == 401 {
                let challenge = answer.header("www-authenticate");
                assert!(challenge.starts_with("Bearer "), "{}: {challenge:?}", answer.what);
            }
            if answer.code() == "token_signature" {
                let message =
                    "The access token is not accepted. signature: the signature is not that of this";
                assert!(answer.body["detail"].as_str().unwrap().starts_with(message), "{}", answer.what);
            }
            if answer.code() == "denied_operator_audience" {
                let message = "This endpoint requires an operator-scoped token";
                assert_eq!(answer.body["detail"], message, "{}", answer.what);
            }
        }
    }
    assert!(wrong.is_empty(), "{} cells are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// A server of its own: in the table's, the stranger gets a record.
#[tokio::test]
async fn what_one_may_not_see_looks_like_what_is_not_there() {
    let server = Server::start();
    let operator = Api::of(&server, "operator").await;
    let users = operator.get("/users").send().await.is(200);
    let user = users.items().iter().find(|user| user["subject"]["sub"] == "dev-member").unwrap();
    let subscriptions = operator.get("/subscriptions?tenant=acme").send().await.is(200);
    let (user, subscription) = (user["id"].as_str().unwrap(), subscriptions.each("id")[0]);
    let mut compared = 0;
    let key = server.key(json!({ "name": "Seen by operators alone", "kind": "server" })).await.0;
    let mut callers = Vec::new();
    for persona in ["other", "support", "stranger", "former"] {
        callers.push((persona, Api::of(&server, persona).await));
    }
    callers.push(("otherKey", Api::with_key(&server, &server.tenant_key("globex").await).await));
    for (persona, api) in callers {
        // Members of any tenant may read every flag.
        let may_read = |row: &Row| persona == "other" && row.path == "/flags/{key}" && row.method == "GET";
        for row in rows().iter().filter(|row| !may_read(row)) {
            let Some(pair) = pair(row, user, subscription, &key) else { continue };
            let [(path, body), (absent_path, absent_body)] = pair;
            let there = asked(&api, row.method, &path, body).await;
            let absent = asked(&api, row.method, &absent_path, absent_body).await;
            assert!(there.status >= 400, "{persona}: {}", there.what);
            assert_eq!(without_ids(&there), without_ids(&absent), "{persona}: {}", there.what);
            compared += 1;
        }
    }
    assert!(compared >= 5 * 33, "{compared}");
}

type Question = (String, Option<Value>);

/// The same question about what is there and about what is not, where a route is about something at all.
fn pair(row: &Row, user: &str, subscription: &str, key: &str) -> Option<[Question; 2]> {
    let absent = "0190f5fe-0000-7000-8000-000000000000";
    let body = |slug: &str| match (row.method, row.path) {
        ("POST", "/flags/evaluate") => Some(json!({ "tenantSlug": slug })),
        ("POST", path) if path.starts_with("/ofrep") => Some(context(slug)),
        ("POST", "/flags/{key}/restore") => Some(json!({ "revision": 1 })),
        ("PATCH", "/subscriptions/{id}") => Some(json!({ "plan": "free" })),
        ("PATCH", _) => Some(json!({ "name": "Name" })),
        _ => None,
    };
    let names = match row.path.split('/').nth(1)? {
        "tenants" if row.path.contains('{') => ["acme", "absent"],
        "partners" if row.path.contains('{') => ["nordlys", "absent"],
        "users" if row.path.contains('{') => [user, absent],
        "subscriptions" if row.path.contains('{') => [subscription, absent],
        "flags" if row.path.contains('{') || row.path.ends_with("evaluate") => ["acme", "absent"],
        "flags" if row.path.starts_with("/flags/slice") => ["acme", "absent"],
        "ofrep" => ["acme", "absent"],
        "keys" if row.path.contains('{') => [key, absent],
        "audit" if !row.variant.is_empty() => ["acme", "absent"],
        _ => return None,
    };
    Some(names.map(|name| {
        // An evaluation is about its tenant: the flag is there either way.
        let is_evaluation = row.path.starts_with("/ofrep");
        let key = if name == "absent" && !is_evaluation { name } else { "meetings_e2ee" };
        let path = row.path.replace("{slug}", name).replace("{id}", name).replace("{key}", key);
        let query = match row.path {
            "/audit" | "/flags/slice" | "/flags/slice/stream" => format!("?tenant={name}"),
            "/ofrep/v1/stream" => format!("?tenant={name}&token=AAAA"),
            _ => String::new(),
        };
        (format!("{path}{query}"), body(name))
    }))
}

/// Status, headers and body, without what names the request or its time.
fn without_ids(answer: &Answer) -> (u16, Vec<(String, String)>, Value) {
    let named = |name: &str| ["x-request-id", "date"].contains(&name);
    let headers = answer.headers.iter().filter(|(name, _)| !named(name.as_str()));
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let mut body = answer.body.clone();
    if let Some(members) = body.as_object_mut() {
        members.remove("requestId");
    }
    (answer.status, headers.collect(), body)
}
