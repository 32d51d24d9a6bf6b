//! Sign-in: how the claims of an identity provider's tokens change a user's record and rights.

mod addresses;
mod admins;
mod groups;
mod issue_times;

use dezky_core::Timestamp;
use dezky_core::model::User;
use dezky_server::store::{Record, RecordChange};
use serde_json::{Value, json};

use crate::support::{Answer, Api, Issuer, Server, commit_offline, unix_seconds, until_second};

/// The group of platform admins.
const ADMINS: &str = "dezky-platform-admins";

/// The group of the tenant that every fresh server has.
const DEZKY: &str = "tenant-dezky";

/// The seconds by which clocks may differ.
const LEEWAY: i64 = 5;

/// A server without sample data, its identity provider, and its first platform admin.
struct Scene {
    issuer: Issuer,
    server: Server,
    chief: Api,
}

impl Scene {
    async fn new() -> Scene {
        Scene::with(Vec::new()).await
    }

    /// A scene whose database holds these user records before the first start.
    async fn with(records: Vec<Value>) -> Scene {
        let issuer = Issuer::start();
        let records = records.into_iter().map(|mut record| {
            if let Some(subject) = record.get_mut("subject") {
                subject["issuer"] = json!(issuer.name);
            }
            User::from_json(record.to_string().as_bytes()).unwrap()
        });
        let entries: Vec<RecordChange> = records.map(created).collect();
        let server = tokio::task::block_in_place(|| {
            Server::start_for(&issuer, |data| commit_offline(data, [entries]))
        });
        let claims = json!({ "aud": "dezky-operator", "groups": [ADMINS], "iat": unix_seconds() - 1_000 });
        let chief = Api::anonymous(&server).await.with_token(&issuer.token("chief", claims));
        chief.get("/users/me").send().await.is(200);
        Scene { issuer, server, chief }
    }

    async fn me(&self, subject: &str, claims: Value) -> Answer {
        let token = self.issuer.token(subject, claims);
        Api::anonymous(&self.server).await.with_token(&token).get("/users/me").send().await
    }

    /// Signs in and returns the record.
    async fn signed_in(&self, subject: &str, claims: Value) -> Value {
        self.me(subject, claims).await.is(200).body["profile"].clone()
    }

    async fn change(&self, user: &Value, change: Value) -> Value {
        let path = format!("/users/{}", user["id"].as_str().unwrap());
        self.chief.patch(path).any_version().json(change).send().await.is(200).body
    }

    async fn record(&self, user: &Value) -> Value {
        self.chief.get(format!("/users/{}", user["id"].as_str().unwrap())).send().await.is(200).body
    }

    /// Creates a tenant over the API and returns its id.
    async fn tenant(&self, slug: &str) -> Value {
        let body = json!({ "slug": slug, "name": "Made", "plan": "free" });
        self.chief.post("/tenants").json(body).send().await.is(201).body["id"].clone()
    }

    /// The id of the tenant that every fresh server has.
    async fn dezky(&self) -> Value {
        self.chief.get("/tenants/dezky").send().await.is(200).body["id"].clone()
    }

    /// The changes of the record in the log, newest first.
    async fn log(&self, user: &Value) -> Vec<Value> {
        let path = format!("/audit?entity=user&id={}", user["id"].as_str().unwrap());
        self.chief.get(path).send().await.is(200).items().to_vec()
    }
}

/// The first entry of a user's record.
fn created(user: User) -> RecordChange {
    RecordChange { action: "user.create", before: None, after: Some(Record::User(Box::new(user))) }
}

fn second_of(time: &Value) -> i64 {
    Timestamp::parse(time.as_str().unwrap()).unwrap().as_seconds()
}

/// Waits until tokens of the first second after the leeway are accepted, and returns that second.
/// Only such tokens grant rights after a change of rights.
async fn after_leeway(changed: &Value) -> i64 {
    let first = second_of(&changed["rightsChangedAt"]) + LEEWAY + 1;
    until_second(first - LEEWAY).await;
    first
}
