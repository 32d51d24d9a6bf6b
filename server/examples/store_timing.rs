//! How quick the store is with 100,000 tenants: `cargo run --release -p dezky-server --example store_timing [DIRECTORY]`.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use dezky_core::{Actor, Id, Label, PlanKey, Slug, Tenant, TenantStatus, Timestamp};
use dezky_server::store::sqlite::SqliteStore;
use dezky_server::store::{
    Direction, Entry, Observer, Position, Record, Sort, SortKey, Store, TenantFilter, TenantQuery, Write,
};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const TENANTS: usize = 100_000;
const PAGE: usize = 50;
const ROUNDS: usize = 200;
const WRITING: Duration = Duration::from_secs(3);

struct Nobody;

impl Observer for Nobody {
    fn committed(&mut self, _: &[(u64, Entry)]) {}
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let own = std::env::temp_dir().join(format!("dezky-store-timing-{}", std::process::id()));
    let directory = std::env::args().nth(1).map_or(own, PathBuf::from);
    let measured = measure(&directory).await;
    std::fs::remove_dir_all(&directory)?;
    measured
}

async fn measure(directory: &Path) -> Outcome<()> {
    let store = SqliteStore::open(directory, Box::new(Nobody))?;
    println!("| what | figure |\n| --- | --- |");
    println!("| RSS, empty | {} MB |", resident()?);
    let start = Instant::now();
    for from in (0..TENANTS).step_by(1_000) {
        let entries = (from..from + 1_000).map(made).collect::<Outcome<_>>()?;
        store.write(write(entries)).await?;
    }
    println!("| making {TENANTS} tenants | {:.1} s |", start.elapsed().as_secs_f64());
    drop(store);

    let store = Arc::new(SqliteStore::open(directory, Box::new(Nobody))?);
    let start = Instant::now();
    let population = store.population().await?;
    let elapsed = start.elapsed();
    println!("| population of {} | {:.0} ms |", population.tenants.len(), 1e3 * elapsed.as_secs_f64());
    println!("| RSS with it | {} MB |", resident()?);
    pages(&*store).await?;
    println!("| RSS after these | {} MB |", resident()?);
    println!("| one append of 8 KiB and its fsync, p50 | {:.2} ms |", sync_time(directory)?);
    for clients in [1, 32] {
        writes(&store, clients).await?;
    }
    println!("| one append of 8 KiB and its fsync, p50, again | {:.2} ms |", sync_time(directory)?);
    Ok(())
}

async fn pages(store: &dyn Store) -> Outcome<()> {
    let text = |text: &str| TenantFilter { text: Some(text.to_owned()), ..TenantFilter::default() };
    let filters = [
        ("nothing", TenantFilter::default()),
        ("q in all", text("company")),
        ("q in a tenth", text("berg")),
        ("q in 1,000", text("-077")),
        ("q in 100", text("-0077")),
        ("q in 1", text("-099999")),
        ("q in none", text("nobody")),
        ("q of two letters, in all", text("co")),
        ("q of two letters, in none", text("qq")),
        ("status, of most", TenantFilter { status: Some(TenantStatus::Active), ..TenantFilter::default() }),
        ("status, of 1 %", TenantFilter { status: Some(TenantStatus::Suspended), ..TenantFilter::default() }),
        ("plan, of a third", TenantFilter { plan: Some("business".to_owned()), ..TenantFilter::default() }),
        ("partner, of 100", TenantFilter { partner: Some(Id::new("p7")?), ..TenantFilter::default() }),
        (
            "q in all, status and plan",
            TenantFilter {
                status: Some(TenantStatus::Active),
                plan: Some("business".to_owned()),
                ..text("company")
            },
        ),
    ];
    for (name, filter) in filters {
        for key in [SortKey::Slug, SortKey::Name, SortKey::CreatedAt] {
            let sort = Sort { key, direction: Direction::Ascending };
            let first = page_times(store, &filter, sort, None).await?;
            let deep = page_times(store, &filter, sort, Some(middle(key)?)).await?;
            println!("| {name}, by {key:?}: first page, and one in the middle | {first}, {deep} |");
        }
        let mut times = Vec::new();
        for _ in 0..5 {
            let start = Instant::now();
            store.tenant_totals(filter.clone()).await?;
            times.push(start.elapsed());
        }
        println!("| {name}: totals | {} |", Percentiles::of(times));
    }
    Ok(())
}

async fn page_times(
    store: &dyn Store,
    filter: &TenantFilter,
    sort: Sort,
    after: Option<Position>,
) -> Outcome<Percentiles> {
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let query = TenantQuery { filter: filter.clone(), sort, after: after.clone(), limit: PAGE };
        let start = Instant::now();
        store.tenants(query).await?;
        times.push(start.elapsed());
    }
    Ok(Percentiles::of(times))
}

/// Where half of the tenants come before.
fn middle(key: SortKey) -> Outcome<Position> {
    let tenant = tenant(TENANTS / 2)?;
    let key = match key {
        SortKey::Slug => tenant.slug().to_string(),
        SortKey::Name => tenant.name.as_str().to_lowercase(),
        SortKey::CreatedAt => tenant.revisioned.created_at.as_micros().to_string(),
    };
    Ok(Position { key, id: tenant.id().to_string() })
}

/// Every client changes a tenant of its own, again and again.
async fn writes(store: &Arc<SqliteStore>, clients: usize) -> Outcome<()> {
    let mut tasks = Vec::new();
    let start = Instant::now();
    for client in 0..clients {
        let store = Arc::clone(store);
        tasks.push(tokio::spawn(async move {
            let id = Id::new(&format!("t{client:06}"))?;
            let mut before = store.tenant(&id).await?.ok_or("there is no such tenant")?;
            let mut times = Vec::new();
            while start.elapsed() < WRITING {
                let mut after = before.clone();
                after.revisioned.version += 1;
                let records = [before, after.clone()].map(|tenant| Some(Record::Tenant(Box::new(tenant))));
                let [old, new] = records;
                let entry = Entry { action: "tenant.update", before: old, after: new };
                let begun = Instant::now();
                store.write(write(vec![entry])).await?;
                times.push(begun.elapsed());
                before = after;
            }
            Outcome::Ok(times)
        }));
    }
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await??);
    }
    let rate = times.len() as f64 / start.elapsed().as_secs_f64();
    println!("| durable writes of {clients} clients | {rate:.0}/s, {} |", Percentiles::of(times));
    Ok(())
}

fn sync_time(directory: &Path) -> Outcome<f64> {
    let path = directory.join("sync");
    let mut file = File::create(&path)?;
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        file.write_all(&[7; 8_192])?;
        file.sync_data()?;
        times.push(start.elapsed());
    }
    std::fs::remove_file(path)?;
    Ok(Percentiles::of(times).p50)
}

fn tenant(number: usize) -> Outcome<Tenant> {
    let place = ["berg", "dal", "fors", "holm", "lund", "nas", "sund", "vik", "stad", "torp"];
    let name = format!("{} Company {number}", place.get(number % place.len()).copied().unwrap_or_default());
    let now = Timestamp::from_seconds(1_767_225_600 + number as i64)?;
    let plan = ["free", "business", "enterprise"].get(number % 3).copied().unwrap_or_default();
    let slug = Slug::new(&format!("tenant-{number:06}"))?;
    let mut tenant =
        Tenant::new(Id::new(&format!("t{number:06}"))?, slug, Label::new(&name)?, PlanKey::new(plan)?, now);
    tenant.activate(now)?;
    if number.is_multiple_of(100) {
        tenant.suspend(now)?;
    }
    tenant.partner_id = Some(Id::new(&format!("p{}", number % 1_000))?);
    Ok(tenant)
}

fn made(number: usize) -> Outcome<Entry> {
    let after = Record::Tenant(Box::new(tenant(number)?));
    Ok(Entry { action: "tenant.create", before: None, after: Some(after) })
}

fn write(entries: Vec<Entry>) -> Write {
    Write { at: Timestamp::EPOCH, actor: Actor::default(), entries, requires: Vec::new(), receipt: None }
}

/// Megabytes of this process in memory.
fn resident() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default();
    let kilobytes: u64 = line.split_whitespace().nth(1).unwrap_or_default().parse()?;
    Ok(kilobytes / 1_024)
}

/// In milliseconds.
struct Percentiles {
    p50: f64,
    p99: f64,
}

impl Percentiles {
    fn of(mut times: Vec<Duration>) -> Percentiles {
        times.sort_unstable();
        let at =
            |part: usize| times.get(times.len() * part / 100).map_or(0.0, |time| 1e3 * time.as_secs_f64());
        Percentiles { p50: at(50), p99: at(99) }
    }
}

impl std::fmt::Display for Percentiles {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "p50 {:.2} ms p99 {:.2} ms", self.p50, self.p99)
    }
}
