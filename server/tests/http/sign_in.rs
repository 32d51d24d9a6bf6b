//! Sign-in: what the tokens of an identity provider change of a record, and what they leave as it is.

use std::sync::Arc;
use std::time::Duration;

use dezky_core::{Actor, Timestamp, User};
use dezky_server::store::sqlite::SqliteStore;
use dezky_server::store::{Observer, Record, RecordChange, Store, Write};
use serde_json::{Value, json};

use crate::support::{Answer, Api, Issuer, Server, seconds};

const ADMINS: &str = "dezky-platform-admins";

/// The group of the one tenant that a fresh server has.
const DEZKY: &str = "tenant-dezky";

/// How far clocks may differ.
const LEEWAY: i64 = 5;

struct Scene {
    issuer: Issuer,
    server: Server,
    chief: Api,
}

impl Scene {
    async fn new() -> Scene {
        Scene::with(Vec::new()).await
    }

    /// With these records from the start.
    async fn with(records: Vec<Value>) -> Scene {
        let issuer = Issuer::start();
        let records = records.into_iter().map(|mut record| {
            if let Some(subject) = record.get_mut("subject") {
                subject["issuer"] = json!(issuer.name);
            }
            User::from_json(record.to_string().as_bytes()).unwrap()
        });
        let records: Vec<User> = records.collect();
        let server = tokio::task::block_in_place(|| Server::start_for(&issuer, |data| put(data, records)));
        let claims = json!({ "aud": "dezky-operator", "groups": [ADMINS], "iat": seconds() - 1_000 });
        let chief = Api::nobody(&server).await.with_token(&issuer.token("chief", claims));
        chief.get("/users/me").send().await.is(200);
        Scene { issuer, server, chief }
    }

    async fn me(&self, subject: &str, claims: Value) -> Answer {
        let token = self.issuer.token(subject, claims);
        Api::nobody(&self.server).await.with_token(&token).get("/users/me").send().await
    }

    /// The record after a sign-in.
    async fn signed_in(&self, subject: &str, claims: Value) -> Value {
        self.me(subject, claims).await.is(200).body["profile"].clone()
    }

    async fn change(&self, user: &Value, change: Value) -> Value {
        let path = format!("/users/{}", user["id"].as_str().unwrap());
        self.chief.patch(path).on_any().json(change).send().await.is(200).body
    }

    async fn record(&self, user: &Value) -> Value {
        self.chief.get(format!("/users/{}", user["id"].as_str().unwrap())).send().await.is(200).body
    }

    /// A new tenant, made over the API.
    async fn tenant(&self, slug: &str) -> Value {
        let body = json!({ "slug": slug, "name": "Made", "plan": "free" });
        self.chief.post("/tenants").json(body).send().await.is(201).body["id"].clone()
    }

    async fn dezky(&self) -> Value {
        self.chief.get("/tenants/dezky").send().await.is(200).body["id"].clone()
    }

    /// The changes of a record, newest first.
    async fn log(&self, user: &Value) -> Vec<Value> {
        let path = format!("/audit?entity=user&id={}", user["id"].as_str().unwrap());
        self.chief.get(path).send().await.is(200).items().to_vec()
    }
}

struct Nobody;

impl Observer for Nobody {
    fn committed(&mut self, _: &[(u64, RecordChange)]) {}
}

/// Puts records into a database that no server has opened yet.
fn put(data: &std::path::Path, records: Vec<User>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let write = Write {
        at: Timestamp::EPOCH,
        actor: Actor::default(),
        entries: records
            .into_iter()
            .map(|user| RecordChange {
                action: "user.create",
                before: None,
                after: Some(Record::User(Box::new(user))),
            })
            .collect(),
        requires: Vec::new(),
        receipt: None,
        key_uses: Vec::new(),
    };
    std::thread::scope(|scope| {
        let written = scope.spawn(|| {
            let store = Arc::new(SqliteStore::open(data, Box::new(Nobody)).unwrap());
            runtime.block_on(store.write(write)).unwrap();
        });
        written.join().unwrap();
    });
}

fn second_of(time: &Value) -> i64 {
    Timestamp::parse(time.as_str().unwrap()).unwrap().as_seconds()
}

/// The first second whose tokens may grant after a change of rights, once tokens of that second are accepted.
async fn after_leeway(changed: &Value) -> i64 {
    let first = second_of(&changed["rightsChangedAt"]) + LEEWAY + 1;
    while seconds() + LEEWAY < first {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    first
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_first_sign_in_every_group_is_new() {
    let scene = Scene::new().await;
    let ada = scene.signed_in("ada", json!({ "groups": [DEZKY, "unknown", DEZKY] })).await;
    assert_eq!((&ada["tenantIds"], &ada["platformAdmin"]), (&json!([scene.dezky().await]), &json!(false)));
    assert_eq!(ada["groups"], json!([DEZKY, "unknown"]));
    let eve = scene.signed_in("eve", json!({ "groups": [ADMINS] })).await;
    assert_eq!((&eve["tenantIds"], &eve["platformAdmin"]), (&json!([]), &json!(true)));
    // Nothing is known of groups that no token has spoken of.
    let bob = scene.signed_in("bob", json!({})).await;
    assert_eq!(bob.get("groups"), None);
    let bob = scene.signed_in("bob", json!({ "groups": [DEZKY] })).await;
    assert_eq!(bob["tenantIds"], json!([scene.dezky().await]));
}

/// Defect 4: the identity provider has no group for a tenant that was made over the API, so it has no say in who belongs to it.
#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_without_a_group_keeps_its_members() {
    let scene = Scene::new().await;
    let plain = scene.tenant("plain").await;
    let now = seconds();
    let ada = scene.signed_in("ada", json!({ "groups": [DEZKY], "iat": now - 90 })).await;
    let both = json!([scene.dezky().await, plain]);
    scene.change(&ada, json!({ "tenantIds": both })).await;
    for (iat, groups) in [(now + 2, json!([DEZKY])), (now + 3, json!([])), (now + 4, json!(["another"]))] {
        let me = scene.me("ada", json!({ "groups": groups, "iat": iat })).await.is(200).body;
        assert!(me["profile"]["tenantIds"].as_array().unwrap().contains(&plain), "{me}");
        assert!(me["tenants"].as_array().unwrap().iter().any(|tenant| tenant["slug"] == "plain"));
    }
    // The group that disappeared has taken its own membership alone.
    assert_eq!(scene.record(&ada).await["tenantIds"], json!([plain]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operators_decision_stands_until_the_identity_provider_changes_its_mind() {
    let scene = Scene::new().await;
    let dezky = json!([scene.dezky().await]);
    let ada = scene.signed_in("ada", json!({ "groups": [DEZKY, ADMINS], "iat": seconds() - 90 })).await;
    assert_eq!((&ada["tenantIds"], &ada["platformAdmin"]), (&dezky, &json!(true)));
    let changed = scene.change(&ada, json!({ "tenantIds": [], "platformAdmin": false })).await;
    let iat = after_leeway(&changed).await;
    // The groups are what they were.
    let same = scene.signed_in("ada", json!({ "groups": [ADMINS, DEZKY], "iat": iat })).await;
    assert_eq!((&same["tenantIds"], &same["platformAdmin"]), (&json!([]), &json!(false)));
    while seconds() + LEEWAY < iat + 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let none = scene.signed_in("ada", json!({ "groups": [], "iat": iat + 1 })).await;
    assert_eq!((&none["tenantIds"], &none["groups"]), (&json!([]), &json!([])));
    let again = scene.signed_in("ada", json!({ "groups": [DEZKY, ADMINS], "iat": iat + 2 })).await;
    assert_eq!((&again["tenantIds"], &again["platformAdmin"]), (&dezky, &json!(true)));

    // The other way round: what an operator gives without a group stays.
    let bob = scene.signed_in("bob", json!({ "groups": [], "iat": iat })).await;
    scene.change(&bob, json!({ "tenantIds": dezky, "platformAdmin": true, "role": "owner" })).await;
    let bob = scene.signed_in("bob", json!({ "groups": ["another"], "iat": iat + 2 })).await;
    assert_eq!(
        (&bob["tenantIds"], &bob["platformAdmin"], &bob["role"]),
        (&dezky, &json!(true), &json!("owner"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_disappears_revokes() {
    let scene = Scene::new().await;
    let now = seconds();
    scene.signed_in("ada", json!({ "groups": [DEZKY, ADMINS], "iat": now - 90 })).await;
    let left = scene.signed_in("ada", json!({ "groups": [ADMINS], "iat": now - 80 })).await;
    assert_eq!((&left["tenantIds"], &left["platformAdmin"]), (&json!([]), &json!(true)));
    let none = scene.signed_in("ada", json!({ "groups": [], "iat": now - 70 })).await;
    assert_eq!((&none["tenantIds"], &none["platformAdmin"]), (&json!([]), &json!(false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_groups_and_an_older_token_change_nothing() {
    let scene = Scene::new().await;
    let now = seconds();
    let ada = scene.signed_in("ada", json!({ "groups": [DEZKY], "iat": now - 50 })).await;
    let silent = scene.signed_in("ada", json!({ "iat": now - 40 })).await;
    assert_eq!((&silent["tenantIds"], &silent["groups"]), (&ada["tenantIds"], &json!([DEZKY])));
    for older in [json!([]), json!([ADMINS, DEZKY])] {
        let claims =
            json!({ "groups": older, "iat": now - 60, "name": "Old", "email": "old@people.example" });
        assert_eq!(scene.signed_in("ada", claims).await, silent);
    }
    // Of two tokens of one second nobody can tell which is newer: what both show stays, and neither grants.
    let same = scene.signed_in("ada", json!({ "groups": [ADMINS, DEZKY], "iat": now - 50 })).await;
    assert_eq!((&same["platformAdmin"], &same["tenantIds"]), (&json!(false), &ada["tenantIds"]));
    let newer = scene.signed_in("ada", json!({ "groups": [ADMINS, DEZKY], "iat": now - 30 })).await;
    assert_eq!(newer["platformAdmin"], json!(true));
}

/// Low 15: clocks may differ, so a token that seems a little newer than the change may be older.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_the_leeway_after_a_change_of_rights_grants_nothing() {
    let scene = Scene::new().await;
    let ada = scene.signed_in("ada", json!({ "groups": [], "iat": seconds() - 50 })).await;
    let changed = scene.change(&ada, json!({ "role": "admin" })).await;
    let second = second_of(&changed["rightsChangedAt"]);
    let granting = after_leeway(&changed).await;
    for iat in [second - 30, second, second + 1, second + LEEWAY] {
        let stays = scene.signed_in("ada", json!({ "groups": [ADMINS, DEZKY], "iat": iat })).await;
        assert_eq!((&stays["platformAdmin"], &stays["tenantIds"]), (&json!(false), &json!([])), "{iat}");
    }
    // What did not grant is still new to the record.
    let granted = scene.signed_in("ada", json!({ "groups": [ADMINS, DEZKY], "iat": granting })).await;
    assert_eq!(
        (&granted["platformAdmin"], &granted["tenantIds"]),
        (&json!(true), &json!([scene.dezky().await]))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_active_admin_stays_one_and_the_rest_of_the_sign_in_goes_on() {
    let scene = Scene::new().await;
    let now = seconds();
    let operates = |groups: Value, iat: i64| json!({ "aud": "dezky-operator", "groups": groups, "iat": iat, "name": format!("At {iat}") });
    let chief = scene.signed_in("chief", operates(json!([ADMINS, DEZKY]), now - 90)).await;
    assert_eq!(chief["tenantIds"], json!([scene.dezky().await]));
    let kept = scene.signed_in("chief", operates(json!([]), now - 80)).await;
    assert_eq!((&kept["platformAdmin"], &kept["tenantIds"]), (&json!(true), &json!([])));
    assert_eq!(kept["name"], format!("At {}", now - 80));
    let log = scene.log(&kept).await;
    let actions: Vec<&str> = log.iter().take(2).map(|change| change["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["user.keepLastAdmin", "user.signIn"]);
    assert_eq!(log[0]["after"]["platformAdmin"], json!(true));
    // The same token again says nothing new.
    let token = scene.issuer.token("chief", operates(json!([]), now - 70));
    let api = Api::nobody(&scene.server).await.with_token(&token);
    let once = api.get("/users/me").send().await.is(200);
    assert_eq!(api.get("/users/me").send().await.is(200).text, once.text);
    let refusals =
        scene.log(&kept).await.into_iter().filter(|change| change["action"] == "user.keepLastAdmin");
    assert_eq!(refusals.count(), 2);
    // An inactive admin is none.
    let second = scene.signed_in("second", operates(json!([ADMINS]), now - 60)).await;
    scene.change(&second, json!({ "active": false })).await;
    assert_eq!(scene.signed_in("chief", operates(json!([]), now - 50)).await["platformAdmin"], json!(true));
    scene.change(&second, json!({ "active": true })).await;
    assert_eq!(scene.signed_in("chief", operates(json!([]), now - 40)).await["platformAdmin"], json!(false));
    // And now the second one is the last.
    assert_eq!(scene.signed_in("second", operates(json!([]), now - 30)).await["platformAdmin"], json!(true));
}

/// Of two admins whose groups go at the same time one stays.
#[tokio::test(flavor = "multi_thread")]
async fn two_admins_cannot_both_be_removed() {
    let scene = Scene::new().await;
    for round in 0..5 {
        let now = seconds() - 500 + round * 10;
        for name in ["chief", "second"] {
            scene.signed_in(name, json!({ "aud": "dezky-operator", "groups": [ADMINS], "iat": now })).await;
        }
        let sign_in = |name: &'static str| {
            scene.signed_in(name, json!({ "aud": "dezky-operator", "groups": [], "iat": now + 5 }))
        };
        let (one, other) = tokio::join!(sign_in("chief"), sign_in("second"));
        let left = [&one, &other].into_iter().filter(|user| user["platformAdmin"] == true).count();
        assert_eq!(left, 1, "{one} {other}");
    }
}

/// Defect 9: an address that is not verified is shown, and is nobody's.
#[tokio::test(flavor = "multi_thread")]
async fn an_unverified_address_reserves_nothing_and_names_nobody() {
    let scene = Scene::new().await;
    let address = "ada@people.example";
    for (subject, verified) in [("squatter", json!(false)), ("silent", Value::Null)] {
        let claims = json!({ "email": address, "email_verified": verified, "groups": [ADMINS], "aud": "dezky-operator" });
        let squatter = scene.signed_in(subject, claims).await;
        assert_eq!((&squatter["email"], &squatter["emailVerified"]), (&json!(address), &json!(false)));
        assert_eq!(scene.log(&squatter).await[0]["actor"], json!({ "id": squatter["id"] }));
    }
    let ada = scene.signed_in("ada", json!({})).await;
    assert_eq!((&ada["email"], &ada["emailVerified"]), (&json!(address), &json!(true)));
    assert_eq!(scene.log(&ada).await[0]["actor"], json!({ "id": ada["id"], "email": address }));
    // Verified, it is one person's.
    scene.me("other", json!({ "email": address })).await.refused(409, "taken").at("/email");
    // Whoever has a record already goes on with it, under an address that is not theirs.
    let squatter = scene.signed_in("squatter", json!({ "email": address, "iat": seconds() + 1 })).await;
    assert_eq!(squatter["emailVerified"], json!(false));
    assert_eq!(scene.signed_in("ada", json!({})).await["emailVerified"], json!(true));
    // A token that is silent about verification leaves what was known of the address.
    let ada = scene.signed_in("ada", json!({ "email_verified": null, "iat": seconds() + 2 })).await;
    assert_eq!(ada["emailVerified"], json!(true));
    // An address that is given up is free.
    scene.signed_in("ada", json!({ "email": "ada@elsewhere.example", "iat": seconds() + 3 })).await;
    assert_eq!(scene.signed_in("other", json!({ "email": address })).await["emailVerified"], json!(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_without_a_verified_address_is_named_by_their_id() {
    let scene = Scene::new().await;
    let claims = json!({ "aud": "dezky-operator", "groups": [ADMINS], "email_verified": false });
    let token = scene.issuer.token("olga", claims);
    let olga = Api::nobody(&scene.server).await.with_token(&token);
    let id = olga.get("/users/me").send().await.is(200).body["profile"]["id"].clone();
    let flag = json!({ "key": "by_olga", "state": "off" });
    olga.post("/flags").json(flag).send().await.is(201);
    let history = olga.get("/flags/by_olga").send().await.is(200).body["history"].clone();
    assert_eq!(history[0]["by"], format!("{}@unverified.invalid", id.as_str().unwrap()));
    let log = scene.chief.get("/audit?entity=flag&id=by_olga").send().await.is(200);
    assert_eq!(log.items()[0]["actor"], json!({ "id": id }));
}

/// A record that was made for an address, before anybody signed in with it.
#[tokio::test(flavor = "multi_thread")]
async fn only_a_verified_address_joins_a_record() {
    let made = json!({ "id": "made", "email": "ada@people.example", "role": "owner", "name": "Made" });
    let scene = Scene::with(vec![made]).await;
    let stranger = scene.signed_in("ada", json!({ "email_verified": false, "iat": seconds() - 50 })).await;
    assert_ne!(stranger["id"], "made");
    assert_eq!(stranger["role"], "member");
    let ada = scene.signed_in("real", json!({ "email": "Ada@People.example", "groups": [DEZKY] })).await;
    assert_eq!(
        (&ada["id"], &ada["role"], &ada["emailVerified"]),
        (&json!("made"), &json!("owner"), &json!(true))
    );
    assert_eq!(ada["tenantIds"], json!([scene.dezky().await]));
}

/// Records from before groups were kept: nobody loses anything by the first sign-in after the upgrade.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_without_groups_loses_nothing_at_its_first_sign_in() {
    let older = |name: &str| {
        json!({ "id": name, "email": format!("{name}@people.example"), "subject": { "issuer": "", "sub": name },
            "tenantIds": ["elsewhere"], "platformAdmin": true, "lastLoginAt": "2024-05-01T12:00:00Z" })
    };
    let scene = Scene::with(vec![older("ada"), older("bob"), older("eve")]).await;
    let (now, dezky) = (seconds(), scene.dezky().await);
    let ada = scene.signed_in("ada", json!({ "groups": [], "iat": now - 9 })).await;
    let bob = scene.signed_in("bob", json!({ "groups": [DEZKY, ADMINS], "iat": now - 9 })).await;
    let eve = scene.signed_in("eve", json!({ "iat": now - 9 })).await;
    for (user, tenants) in
        [(&ada, json!(["elsewhere"])), (&bob, json!(["elsewhere", dezky])), (&eve, json!(["elsewhere"]))]
    {
        assert_eq!((&user["tenantIds"], &user["platformAdmin"]), (&tenants, &json!(true)));
        assert_eq!(user["emailVerified"], json!(true));
    }
    // From then on it is differences that count.
    let bob = scene.signed_in("bob", json!({ "groups": [], "iat": now - 8 })).await;
    assert_eq!((&bob["tenantIds"], &bob["platformAdmin"]), (&json!(["elsewhere"]), &json!(false)));
}

/// Groups are shown to the person and to those who run the platform.
#[tokio::test]
async fn groups_are_not_shown_to_colleagues() {
    let server = Server::start();
    let (operator, owner) = (Api::of(&server, "operator").await, Api::of(&server, "owner").await);
    let member = Api::of(&server, "member").await;
    let own = member.get("/users/me").send().await.is(200).body["profile"].clone();
    assert_eq!(own["groups"], json!(["tenant-acme"]));
    let path = format!("/users/{}", own["id"].as_str().unwrap());
    assert_eq!(operator.get(&path).send().await.is(200).body["groups"], own["groups"]);
    assert_eq!(member.get(&path).send().await.is(200).body["groups"], own["groups"]);
    let seen = owner.get(&path).send().await.is(200).body;
    assert_eq!((seen.get("groups"), seen.get("groupsIssuedAt")), (None, None));
    for user in owner.get("/tenants/acme/users").send().await.is(200).items() {
        assert_eq!(user.get("groups").is_some(), user["subject"]["sub"] == "dev-owner", "{user}");
    }
}
