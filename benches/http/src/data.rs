//! The data of a run: the shared workload, written through the server's store.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use dezky_core::Timestamp;
use dezky_core::model::{Actor, Flag, Partner, Tenant};
use dezky_core::names::{Id, Label, PlanKey, Slug};
use dezky_server::store::sqlite::SqliteStore;
use dezky_server::store::{Observer, Record, RecordChange, Store, Write};
use serde_json::json;

use crate::Failure;
use crate::workload::{self, PARTNERS, State, Workload};

/// The number of flags that a new server creates itself.
pub const SEEDED_FLAGS: usize = 10;

/// The number of entries in one write.
const BATCH: usize = 1_000;

/// An observer that ignores all changes.
struct NoObserver;

impl Observer for NoObserver {
    fn committed(&mut self, _: &[(u64, RecordChange)]) {}
}

/// Fills a new data directory with the workload.
pub async fn prepare(directory: &Path, workload: &Workload) -> Result<(), Failure> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let micros = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros())?;
    let at = Timestamp::from_micros(micros)?;
    let mut entries = Vec::new();
    for (index, slug) in PARTNERS.iter().enumerate() {
        let partner = Partner::new(id('a', index)?, Slug::new(slug)?, Label::new(slug)?, at);
        entries.push(created("partner.create", Record::Partner(Box::new(partner))));
    }
    for (index, row) in workload.tenants.iter().enumerate() {
        entries.push(created("tenant.create", Record::Tenant(Box::new(tenant(index, row, at)?))));
    }
    for flag in &workload.flags {
        entries.push(created("flag.create", Record::Flag(Box::new(record(workload, flag, at)?))));
    }
    let store = SqliteStore::open(directory, Box::new(NoObserver))?;
    while !entries.is_empty() {
        let rest = entries.split_off(BATCH.min(entries.len()));
        let actor = Actor { id: None, email: None };
        let (requires, receipt, key_uses) = (Vec::new(), None, Vec::new());
        store.write(Write { at, actor, entries, requires, receipt, key_uses }).await?;
        entries = rest;
    }
    Ok(())
}

fn tenant(index: usize, row: &workload::Tenant, at: Timestamp) -> Result<Tenant, Failure> {
    let name = name_of(&row.slug);
    let mut tenant =
        Tenant::new(id('b', index)?, Slug::new(&row.slug)?, Label::new(&name)?, PlanKey::new(row.plan)?, at);
    tenant.activate(at)?;
    tenant.revisioned.version = 1;
    if let Some(position) = row.partner.and_then(|partner| PARTNERS.iter().position(|slug| *slug == partner))
    {
        tenant.partner_id = Some(id('a', position)?);
    }
    Ok(tenant)
}

/// Converts a flag of the workload to a stored flag.
fn record(workload: &Workload, flag: &workload::Flag, at: Timestamp) -> Result<Flag, Failure> {
    let state = match flag.state {
        State::Off => "off",
        State::On => "on",
        State::Targeted => "targeted",
        State::Rollout => "rollout",
    };
    let pct = if flag.state == State::Rollout { workload::ROLLOUT_PERCENT } else { 0 };
    let slugs: Vec<&str> = workload.slugs(flag).collect();
    let document = json!({
        "key": flag.key, "state": state, "pct": pct, "scope": { "plans": flag.plans, "tenantSlugs": slugs },
        "description": "One of the flags of the benchmarks.", "createdAt": at, "updatedAt": at,
    });
    Ok(Flag::from_json(document.to_string().as_bytes())?)
}

fn created(action: &'static str, record: Record) -> RecordChange {
    RecordChange { action, before: None, after: Some(record) }
}

/// Returns an id in the form of the server's ids, which sort by creation time.
fn id(kind: char, index: usize) -> Result<Id, Failure> {
    Ok(Id::new(&format!("0192f0c1-{kind}{:03x}-7000-8000-{index:012x}", index >> 12))?)
}

/// Converts a slug to a name: `acme-labs-7` becomes `Acme Labs 7`.
fn name_of(slug: &str) -> String {
    let mut name = String::with_capacity(slug.len());
    let mut starts = true;
    for letter in slug.chars() {
        name.push(match letter {
            '-' => ' ',
            letter if starts => letter.to_ascii_uppercase(),
            letter => letter,
        });
        starts = letter == '-';
    }
    name
}

/// Returns whether a flag is on, by the scope rule in `workload.rs` and the hash of core.
pub fn is_on(workload: &Workload, flag: &workload::Flag, tenant: usize) -> Result<bool, Failure> {
    let in_scope = workload.in_scope(flag, tenant);
    Ok(match flag.state {
        State::Off => false,
        State::On => true,
        State::Targeted => in_scope,
        State::Rollout => {
            in_scope && dezky_core::flags::rollout_position(id('b', tenant)?.as_str(), &flag.key) < 2_500
        }
    })
}
