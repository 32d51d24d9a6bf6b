//! Builders of records and of writes.

use dezky_core::Timestamp;
use dezky_core::model::{
    Actor, Flag, Interval, Partner, Periods, Price, Revisioned, StripeIds, Subscription, SubscriptionStatus,
    Tenant, User,
};
use dezky_core::names::{Currency, Email, Environment, Id, Label, PlanKey, Slug};
use dezky_server::keys::{KeyKind, KeyRecord, PreviousSecret};
use dezky_server::store::{Receipt, Record, RecordChange, Require, Store, Write};
use serde_json::{Value, json};

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_767_225_600 + seconds).unwrap()
}

pub fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

pub fn tenant(number: usize) -> Tenant {
    named_tenant(number, &format!("tenant-{number:05}"), &format!("Tenant {number}"))
}

pub fn named_tenant(number: usize, slug: &str, name: &str) -> Tenant {
    let (slug, name) = (Slug::new(slug).unwrap(), Label::new(name).unwrap());
    let plan = PlanKey::new(["free", "business", "enterprise"][number % 3]).unwrap();
    let mut tenant = Tenant::new(id(&format!("t{number}")), slug, name, plan, at(number as i64 / 4));
    tenant.activate(at(number as i64)).unwrap();
    tenant
}

pub fn partner(number: usize) -> Partner {
    let slug = Slug::new(&format!("partner-{number:03}")).unwrap();
    Partner::new(id(&format!("p{number}")), slug, Label::new("Partner").unwrap(), at(0))
}

pub fn user(number: usize) -> User {
    user_of(json!({ "id": format!("u{number}"), "email": format!("u{number}@example.org") }))
}

pub fn user_of(document: Value) -> User {
    User::from_json(document.to_string().as_bytes()).unwrap()
}

pub fn admin(number: usize) -> User {
    User { platform_admin: true, ..user(number) }
}

pub fn price(amount: i64) -> Price {
    Price::new(amount, Currency::new("EUR").unwrap(), Interval::Month, 1, 1).unwrap()
}

pub fn subscription(number: usize, tenant: &Id, price: Price) -> Subscription {
    Subscription {
        id: id(&format!("s{number}")),
        tenant_id: tenant.clone(),
        plan: PlanKey::new("business").unwrap(),
        status: SubscriptionStatus::Active,
        price,
        stripe: StripeIds::default(),
        periods: Periods::default(),
        revisioned: Revisioned { created_at: at(number as i64 / 3), updated_at: at(0), version: 1 },
    }
}

pub fn flag(key: &str) -> Flag {
    let document = json!({ "key": key, "state": "rollout", "pct": 12.5, "scope": { "plans": ["free"] } });
    Flag::from_json(document.to_string().as_bytes()).unwrap()
}

pub fn key(number: usize) -> KeyRecord {
    KeyRecord {
        id: id(&format!("k{number}")),
        name: Label::new("Portal").unwrap(),
        kind: KeyKind::Tenant,
        tenant_id: Some(id("t1")),
        environment: Environment::new("production").unwrap(),
        hint: "abcd".to_owned(),
        expires_at: Some(at(5_000)),
        previous: Some(PreviousSecret {
            hint: "efgh".to_owned(),
            until: at(2_000),
            hash: [100 + number as u8; 32],
        }),
        created_by: Some(Actor { id: Some(id("operator")), email: None }),
        revisioned: Revisioned { created_at: at(0), updated_at: at(0), version: 1 },
        hash: [number as u8; 32],
    }
}

/// Converts a domain value to a stored record.
pub trait IntoRecord {
    fn record(&self) -> Record;
}

macro_rules! into_record {
    ($($Kind:ident: $Type:ident)*) => {$(
        impl IntoRecord for $Type {
            fn record(&self) -> Record {
                Record::$Kind(Box::new(self.clone()))
            }
        }
    )*};
}

into_record! {
    Tenant: Tenant Partner: Partner User: User Subscription: Subscription Flag: Flag Key: KeyRecord
}

impl IntoRecord for Record {
    fn record(&self) -> Record {
        self.clone()
    }
}

/// Returns the record with its version raised by one.
pub fn next_version(record: &impl IntoRecord) -> Record {
    let mut record = record.record();
    match &mut record {
        Record::Tenant(tenant) => tenant.revisioned.version += 1,
        Record::Partner(partner) => partner.revisioned.version += 1,
        Record::User(user) => user.revisioned.version += 1,
        Record::Subscription(subscription) => subscription.revisioned.version += 1,
        Record::Flag(flag) => {
            let mut document = serde_json::to_value(&**flag).unwrap();
            document["version"] = json!(flag.revisioned().version + 1);
            **flag = Flag::from_json(document.to_string().as_bytes()).unwrap();
        }
        Record::Key(key) => key.revisioned.version += 1,
    }
    record
}

pub fn created(record: &impl IntoRecord) -> RecordChange {
    let after = record.record();
    let action = match &after {
        Record::Tenant(_) => "tenant.create",
        Record::Partner(_) => "partner.create",
        Record::User(_) => "user.create",
        Record::Subscription(_) => "subscription.create",
        Record::Flag(_) => "flag.create",
        Record::Key(_) => "key.create",
    };
    RecordChange { action, before: None, after: Some(after) }
}

pub fn updated(before: &impl IntoRecord, after: &impl IntoRecord) -> RecordChange {
    RecordChange { action: "record.update", before: Some(before.record()), after: Some(after.record()) }
}

pub fn deleted(before: &impl IntoRecord) -> RecordChange {
    RecordChange { action: "record.delete", before: Some(before.record()), after: None }
}

pub fn write(entries: impl IntoIterator<Item = RecordChange>) -> Write {
    let actor = Actor { id: Some(id("operator")), email: Some(Email::new("operator@example.org").unwrap()) };
    let entries = entries.into_iter().collect();
    Write { at: at(1_000), actor, entries, requires: Vec::new(), receipt: None, key_uses: Vec::new() }
}

pub fn requiring(entries: impl IntoIterator<Item = RecordChange>, require: Require) -> Write {
    Write { requires: vec![require], ..write(entries) }
}

pub fn receipt(holder: &str, key: &str) -> Receipt {
    Receipt {
        holder: holder.to_owned(),
        key: key.to_owned(),
        fingerprint: "ab".repeat(32),
        at: at(1_000),
        status: 201,
        etag: Some("\"v1\"".to_owned()),
        location: None,
        body: "{\"a\":\"ü\"}".to_owned(),
    }
}

/// Reads the current state of a record from the store.
pub async fn stored(store: &dyn Store, sought: &Record) -> Option<Record> {
    match sought {
        Record::Tenant(tenant) => store.tenant(tenant.id()).await.unwrap().map(|found| found.record()),
        Record::Partner(partner) => store.partner(partner.id()).await.unwrap().map(|found| found.record()),
        Record::User(user) => store.user(&user.id).await.unwrap().map(|found| found.record()),
        Record::Subscription(own) => store.subscription(&own.id).await.unwrap().map(|found| found.record()),
        Record::Flag(flag) => store.flag(flag.key()).await.unwrap().map(|found| found.record()),
        Record::Key(own) => {
            let keys = store.initial_state().await.unwrap().keys;
            keys.iter().find(|kept| kept.key.id == own.id).map(|kept| kept.key.record())
        }
    }
}
