//! Migrations: databases of every earlier version, with data in them.

use dezky_core::model::{
    Actor, Change, ChangeContent, Entity, Flag, Partner, Subscription, Tenant, User, verify_chain,
};
use dezky_core::names::{Email, Label};
use dezky_server::store::sqlite::{SqliteStore, migrate_to, verify_log};
use dezky_server::store::{ChangeQuery, FlagQuery, Store, StoreError, TenantFilter};
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::directory::{Directory, create_private_directory, create_private_file};
use crate::records::*;
use crate::sqlite::{NoObserver, open};

/// The newest version of the schema.
const NEWEST: usize = 6;

/// Documents of an older server, without the members that were added later.
fn documents() -> [Value; 5] {
    [
        json!({ "id": "t1", "slug": "acme", "name": "Acme GmbH", "plan": "free", "partnerId": "p1" }),
        json!({ "id": "p1", "slug": "nordic", "name": "Nordic AB" }),
        json!({ "id": "u1", "email": "ada@example.org", "tenantIds": ["t1"], "platformAdmin": true }),
        json!({ "id": "s1", "tenantId": "t1", "plan": "free", "status": "active",
                "price": { "amount": 1200, "currency": "EUR", "interval": "year" } }),
        json!({ "key": "new_portal", "state": "on" }),
    ]
}

const IDENTITY: &str = "https://id.example.org\n7";

/// A user who signed in before the server stored whether addresses are verified.
fn claimed_user() -> Value {
    json!({ "id": "u2", "email": "bob@example.org", "subject": { "issuer": "https://id.example.org/", "sub": "7" } })
}

fn log() -> Vec<Change> {
    let kinds = ["tenant", "partner", "user", "subscription", "flag", "user"];
    let mut changes: Vec<Change> = Vec::new();
    for (kind, document) in kinds.into_iter().zip(documents().into_iter().chain([claimed_user()])) {
        let name = document.get("id").or(document.get("key")).unwrap().as_str().unwrap().to_owned();
        let label = |text: &str| Label::new(text).unwrap();
        let content = ChangeContent {
            at: at(0),
            actor: Actor::default(),
            action: label(&format!("{kind}.create")),
            entity: Entity { kind: label(kind), id: label(&name) },
            before: Value::Null,
            after: document,
        };
        changes.push(content.follow(changes.last()));
    }
    changes
}

fn insert_changes(database: &Connection) {
    let insert = "INSERT INTO changes (revision, at, action, kind, entity_id, tenant_id, doc) \
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    for change in log() {
        let Entity { kind, id } = &change.content.entity;
        let row = params![
            change.revision,
            change.content.at.as_micros(),
            change.content.action.as_str(),
            kind.as_str(),
            id.as_str(),
            ["tenant", "subscription"].contains(&kind.as_str()).then_some("t1"),
            json!(change).to_string(),
        ];
        assert_eq!(database.execute(insert, row).unwrap(), 1);
    }
}

/// Creates a database of a version, filled by the statements of that version.
fn create_old_database(directory: &Directory, version: usize) {
    create_private_directory(directory.path());
    create_private_file(&directory.path().join("dezky.sqlite3"), b"");
    let mut database = Connection::open(directory.path().join("dezky.sqlite3")).unwrap();
    migrate_to(&mut database, version).unwrap();
    let found: usize = database.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(found, version);
    let [tenant, partner, user, subscription, flag] = documents().map(|document| document.to_string());
    let run = |sql: &str, row: &[&dyn rusqlite::ToSql]| assert_eq!(database.execute(sql, row).unwrap(), 1);
    if version >= 1 {
        run(
            "INSERT INTO tenants (id, slug, folded_name, search, status, plan, partner_id, created_at, version, doc) \
             VALUES ('t1', 'acme', 'acme gmbh', 'acme' || char(10) || 'acme gmbh', 'active', 'free', 'p1', 0, 1, ?1)",
            params![tenant],
        );
        run(
            "INSERT INTO partners (id, slug, status, version, doc) VALUES ('p1', 'nordic', 'active', 1, ?1)",
            params![partner],
        );
        // Since version 5 the column holds only reserved addresses.
        let (column, claimed) =
            if version < 5 { ("email", "'bob@example.org'") } else { ("reserved_email", "NULL") };
        let insert = format!(
            "INSERT INTO users (id, {column}, identity, is_active_admin, last_login_at, version, doc)"
        );
        run(&format!("{insert} VALUES ('u1', 'ada@example.org', NULL, 1, 0, 1, ?1)"), params![user]);
        run(
            &format!("{insert} VALUES ('u2', {claimed}, ?1, 0, 0, 1, ?2)"),
            params![IDENTITY, claimed_user().to_string()],
        );
        run("INSERT INTO memberships (tenant_id, user_id) VALUES ('t1', 'u1')", params![]);
        run(
            "INSERT INTO subscriptions VALUES ('s1', 't1', 'free', 'active', 'EUR', 'year', 1, 1200, 1, 0, 1, ?1)",
            params![subscription],
        );
        run("INSERT INTO flags (id, version, doc) VALUES ('new_portal', 1, ?1)", params![flag]);
        run("INSERT INTO settings (name, value) VALUES ('secret', ?1)", params![[7_u8; 32]]);
        insert_changes(&database);
    }
    if version >= 5 {
        for revision in [1, 3, 4] {
            run("INSERT INTO change_tenants (tenant_id, revision) VALUES ('t1', ?1)", params![revision]);
        }
    }
    if version >= 2 {
        run(
            "INSERT INTO receipts VALUES ('u1', 'k', 'ab', ?1, 201, NULL, '/tenants/acme', '{}')",
            params![at(0).as_micros()],
        );
    }
    if version >= 3 {
        run("INSERT INTO tenant_search (rowid, search) SELECT rowid, search FROM tenants", params![]);
    }
}

#[tokio::test]
async fn every_earlier_version_is_migrated() {
    for version in 1..=NEWEST {
        let directory = Directory::new();
        create_old_database(&directory, version);
        let store = open(directory.path());
        let [tenant, partner, user, subscription, flag] =
            documents().map(|document| document.to_string().into_bytes());
        assert_eq!(store.tenant(&id("t1")).await.unwrap(), Some(Tenant::from_json(&tenant).unwrap()));
        assert_eq!(store.partner(&id("p1")).await.unwrap(), Some(Partner::from_json(&partner).unwrap()));
        assert_eq!(store.user(&id("u1")).await.unwrap(), Some(User::from_json(&user).unwrap()));
        // The first user has no identity yet, so the address is still reserved. The second user has
        // one, and the old record does not say whether the address is verified.
        let with_email =
            async |email: &str| store.user_with_email(&Email::new(email).unwrap()).await.unwrap();
        assert_eq!(with_email("ada@example.org").await.map(|user| user.id), Some(id("u1")));
        assert_eq!(with_email("bob@example.org").await, None);
        let conflicting_user =
            user_of(json!({ "id": "u3", "email": "bob@example.org", "emailVerified": true }));
        // The audit of a tenant shows its own changes and its changes of membership.
        let shown = ChangeQuery { tenant: Some(id("t1")), limit: 9, ..ChangeQuery::default() };
        let shown = store.changes(shown).await.unwrap();
        assert_eq!(shown.iter().map(|change| change.revision).collect::<Vec<_>>(), [4, 3, 1], "{version}");
        let subscription = Subscription::from_json(&subscription).unwrap();
        assert_eq!(store.subscription(&subscription.id).await.unwrap(), Some(subscription));
        assert_eq!(
            store.flags(FlagQuery { after: None, limit: 9 }).await.unwrap(),
            [Flag::from_json(&flag).unwrap()]
        );
        assert_eq!(store.secret().await.unwrap(), [7; 32]);
        assert_eq!(store.customers(vec![id("p1")]).await.unwrap()[&id("p1")].mrr["EUR"], 100);
        let population = store.initial_state().await.unwrap();
        assert_eq!((population.revision, population.tenants.len()), (6, 1));

        let head = (6, verify_chain(&log()).unwrap());
        assert_eq!(verify_log(directory.path()).unwrap(), head);
        assert_eq!(store.head().await.unwrap(), head);
        let kept = store.receipt("u1", "k").await.unwrap();
        assert_eq!(kept.is_some(), version >= 2, "{version}");
        for (text, count) in [("gmbh", 1), ("acm", 1), ("ac", 1), ("nordic", 0)] {
            let filter = TenantFilter { text: Some(text.into()), ..Default::default() };
            assert_eq!(store.tenant_totals(filter).await.unwrap()["active"], count, "{version} {text}");
        }

        // The migrated database accepts writes.
        let before = Tenant::from_json(&tenant).unwrap();
        let mut write = write([
            updated(&before, &next_version(&before)),
            created(&named_tenant(2, "umbrella", "Umbrella")),
            created(&conflicting_user),
        ]);
        write.receipt = Some(receipt("u1", "other"));
        assert_eq!(store.write(write).await.unwrap()[0].previous_hash, head.1);
        drop(store);
        assert_eq!(verify_log(directory.path()).unwrap().0, 9);
        let store = open(directory.path());
        assert_eq!(store.initial_state().await.unwrap().tenants.len(), 2);
    }
}

#[test]
fn a_newer_database_is_refused_and_unchanged() {
    let directory = Directory::new();
    create_old_database(&directory, NEWEST);
    let file = directory.path().join("dezky.sqlite3");
    let version = |database: &Connection| -> usize {
        database.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
    };
    let database = Connection::open(&file).unwrap();
    database.pragma_update(None, "user_version", NEWEST + 1).unwrap();
    let Err(StoreError::Unavailable(reason)) = SqliteStore::open(directory.path(), Box::new(NoObserver))
    else {
        panic!("a newer database was opened")
    };
    assert!(reason.contains(&format!("version {}", NEWEST + 1)), "{reason}");
    assert_eq!(version(&database), NEWEST + 1);
    database.pragma_update(None, "user_version", NEWEST).unwrap();
    drop(open(directory.path()));
    assert_eq!(version(&database), NEWEST, "a new migration exists: raise NEWEST in this test");
}
