//! Evaluation over OFREP with a machine key: one flag, all flags, and unchanged flags.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dezky_core::flags::Snapshot;
use serde_json::{Value, json};

use super::evaluate::{CONNECTIONS, TENANTS};
use crate::client::{Client, request};
use crate::delivery;
use crate::edge::{self, Edge};
use crate::load::{Generator, Load, Walk};
use crate::pair::{self, Rounds, Side};
use crate::process::{Server, bare};
use crate::random::Random;
use crate::report::{Bar, Row};
use crate::workload::{Tenant, Workload};
use crate::{Effort, Failure};

/// The interval in which a link in the bulk answer changes, and its tag with it.
const LINK_SECONDS: u64 = 300;

/// A list of requests for each connection.
type Lists = Vec<Arc<Vec<Vec<u8>>>>;

/// The measured server and the data of the measurement.
struct Setting<'s> {
    server: &'s Server,
    edge: &'s Edge,
    key: &'s str,
    workload: &'s Workload,
    snapshot: &'s Snapshot,
    effort: Effort,
}

/// Measures one flag, all flags, and unchanged flags.
pub async fn rows(
    server: &Server,
    operator: &str,
    workload: &Workload,
    (edge, directory): (Option<&Path>, &Path),
    effort: Effort,
) -> Result<Vec<Row>, Failure> {
    let key = delivery::server_key(server, operator).await?;
    let snapshot = delivery::snapshot(server, &key).await?;
    let edge = Edge::start(edge, directory, &snapshot).await?;
    let setting = Setting { server, edge: &edge, key: &key, workload, snapshot: &snapshot, effort };
    let bulk_bytes = setting.verify().await?;
    Ok(vec![setting.one().await?, setting.all(bulk_bytes).await?, setting.unchanged().await?])
}

impl Setting<'_> {
    async fn one(&self) -> Result<Row, Failure> {
        let ours = self.lists(|flag, tenant| one_request(self.key, flag, tenant));
        let theirs = self.lists(edge::one_request);
        let bytes = mean_bytes(self.server, &ours).await?;
        let (what, bare) = (format!("/{{key}}`, {bytes} bytes"), bare(200, bytes)?);
        self.row(what, (ours, theirs), &bare, |[ours, bare], edge| {
            let mut bars = vec![Bar::at_most("times the bare handler's CPU", ours.cpu() / bare.cpu(), 1.6)];
            bars.extend(edge.map(|edge| Bar::at_least("times Edge's throughput", ours.ratio_to(edge), 1.8)));
            bars
        })
        .await
    }

    async fn all(&self, bytes: usize) -> Result<Row, Failure> {
        let ours = self.lists(|_, tenant| all_request(self.key, tenant, ""));
        let theirs = self.lists(|_, tenant| edge::all_request(tenant));
        let (what, bare) =
            (format!("`, all {} flags, {bytes} bytes", self.snapshot.flags().len()), bare(200, bytes)?);
        self.row(what, (ours, theirs), &bare, |[ours, _], edge| {
            let mut bars = vec![Bar::at_most("µs CPU", ours.cpu() / 1e3, 40.0)];
            bars.extend(edge.map(|edge| Bar::at_least("times Edge's throughput", ours.ratio_to(edge), 6.0)));
            bars
        })
        .await
    }

    /// Measures the answer 304. The peer is left out, because it always sends a full answer.
    async fn unchanged(&self) -> Result<Row, Failure> {
        let seconds = self.effort.round.as_secs() * (2 * self.effort.rounds as u64 + 2) + 10;
        let seconds_left =
            LINK_SECONDS - SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() % LINK_SECONDS;
        if seconds_left < seconds {
            eprintln!("waiting {seconds_left} s, because the links change soon");
            tokio::time::sleep(Duration::from_secs(seconds_left)).await;
        }
        let mut client = Client::connect(self.server.address).await?;
        let mut lists = Lists::new();
        for list in self.lists(|_, tenant| tenant.slug.clone().into_bytes()) {
            let mut tagged = Vec::with_capacity(list.len());
            for slug in list.iter() {
                let body = body(std::str::from_utf8(slug)?);
                let answer = client.ask(&request("POST", ALL, self.key, "", &body)).await?;
                let etag = client.header(answer, "etag").ok_or("an answer without a tag")?;
                tagged.push(request("POST", ALL, self.key, &format!("if-none-match: {etag}\r\n"), &body));
            }
            lists.push(Arc::new(tagged));
        }
        let bare = bare(304, 0)?;
        let sides = [self.server, &bare].map(|server| side(server, 304, lists.clone()));
        let [ours, theirs] = pair::interleaved(sides, self.effort).await?;
        Ok(Row {
            what: self.what("`, all flags, unchanged: 304"),
            ours: ours.figures(),
            beside: format!("bare handler, 304: {}", theirs.figures()),
            bars: vec![Bar::at_most("times the bare handler's CPU", ours.cpu() / theirs.cpu(), 1.5)],
        })
    }

    async fn row(
        &self,
        what: String,
        (ours, theirs): (Lists, Lists),
        bare: &Server,
        bars: impl Fn([&Rounds; 2], Option<&Rounds>) -> Vec<Bar>,
    ) -> Result<Row, Failure> {
        let both = [side(self.server, 200, ours.clone()), side(bare, 200, ours)];
        let (ours, bare, edge, name) = match self.edge {
            Edge::Running { server, name } => {
                let [ours, bare] = both;
                let sides = [ours, bare, side(server, 200, theirs)];
                let [ours, bare, edge] = pair::interleaved(sides, self.effort).await?;
                let answered = format!("{name}: {}", edge.figures());
                (ours, bare, Some(edge), answered)
            }
            Edge::Absent(reason) => {
                let [ours, bare] = pair::interleaved(both, self.effort).await?;
                (ours, bare, None, format!("unleash-edge is absent: {reason}"))
            }
        };
        Ok(Row {
            what: self.what(&what),
            ours: ours.figures(),
            beside: format!("bare handler: {}; {name}", bare.figures()),
            bars: bars([&ours, &bare], edge.as_ref()),
        })
    }

    fn what(&self, what: &str) -> String {
        format!(
            "`POST {ALL}{what}, machine key, {} tenants, {CONNECTIONS} connections",
            self.workload.tenants.len()
        )
    }

    /// Builds the requests of one side. All sides get the same flags and tenants.
    fn lists(&self, ask: impl Fn(&str, &Tenant) -> Vec<u8>) -> Lists {
        let mut random = Random::new(0x0F2E);
        let (flags, tenants) = (self.snapshot.flags(), &self.workload.tenants);
        let mut one = || {
            let flag = flags.get(random.below(flags.len())).map_or("", |flag| flag.key.as_str());
            let tenant = tenants.get(random.below(tenants.len()));
            tenant.map(|tenant| ask(flag, tenant)).unwrap_or_default()
        };
        (0..CONNECTIONS).map(|_| Arc::new((0..TENANTS).map(|_| one()).collect())).collect()
    }

    /// Compares all answers with the scope rule, and Dezky's with the hash of core.
    ///
    /// Returns the mean size of a bulk answer.
    async fn verify(&self) -> Result<usize, Failure> {
        let mut client = Client::connect(self.server.address).await?;
        let (mut total, mut in_scope) = (0, 0);
        for (index, tenant) in self.workload.tenants.iter().enumerate().take(TENANTS) {
            let body = client.expect(200, &all_request(self.key, tenant, "")).await?;
            total += body.len();
            let answer: Value = serde_json::from_str(&body)?;
            let flags = answer.get("flags").and_then(Value::as_array).ok_or("an answer without flags")?;
            if flags.len() != self.snapshot.flags().len() {
                return Err(format!("OFREP has {} flags", flags.len()).into());
            }
            for (number, flag) in self.workload.flags.iter().enumerate() {
                let named =
                    |entry: &&Value| entry.get("key").and_then(Value::as_str) == Some(flag.key.as_str());
                let entry = flags.iter().find(named).ok_or("a flag is missing")?;
                let expected = crate::data::is_on(self.workload, flag, index)?;
                let answered = entry.get("value").and_then(Value::as_bool);
                if answered != Some(expected) {
                    return Err(
                        format!("{} for {}: {answered:?}, not {expected}", flag.key, tenant.slug).into()
                    );
                }
                let is_rollout = flag.state == crate::workload::State::Rollout;
                in_scope += usize::from(is_rollout && self.workload.in_scope(flag, index));
                // The answer for a single flag must be equal. A few flags per tenant are checked.
                if number % 16 == index % 16 {
                    let one = client.expect(200, &one_request(self.key, &flag.key, tenant)).await?;
                    if serde_json::from_str::<Value>(&one)? != *entry {
                        return Err(format!("{} for {}: {one}, not {entry}", flag.key, tenant.slug).into());
                    }
                }
            }
        }
        self.verify_edge(in_scope).await?;
        Ok(total / TENANTS)
    }

    /// Compares the answers of Unleash Edge with the scope rule, and its rollouts by their share.
    async fn verify_edge(&self, in_scope: usize) -> Result<(), Failure> {
        let Edge::Running { server, .. } = self.edge else { return Ok(()) };
        let mut client = Client::connect(server.address).await?;
        let mut on = 0;
        for (index, tenant) in self.workload.tenants.iter().enumerate().take(TENANTS) {
            let body = client.expect(200, &edge::all_request(tenant)).await?;
            on += edge::check(&serde_json::from_str(&body)?, self.workload, index)?;
        }
        let share = on as f64 / in_scope as f64;
        match (0.22..0.28).contains(&share) {
            true => Ok(()),
            false => {
                Err(format!("unleash-edge: rollouts include {share} of their scopes, not a quarter").into())
            }
        }
    }
}

const ALL: &str = "/ofrep/v1/evaluate/flags";

fn body(slug: &str) -> String {
    json!({ "context": { "targetingKey": slug } }).to_string()
}

fn all_request(key: &str, tenant: &Tenant, headers: &str) -> Vec<u8> {
    request("POST", ALL, key, headers, &body(&tenant.slug))
}

fn one_request(key: &str, flag: &str, tenant: &Tenant) -> Vec<u8> {
    request("POST", &format!("{ALL}/{flag}"), key, "", &body(&tenant.slug))
}

fn side(server: &Server, status: u16, requests: Lists) -> Side<'_> {
    let load = Load { address: server.address, requests, status, walk: Walk::Around };
    Side { server, generator: Generator::new(load) }
}

/// Returns the mean size of the answers on the first connection.
async fn mean_bytes(server: &Server, lists: &Lists) -> Result<usize, Failure> {
    let list = lists.first().ok_or("no requests")?;
    let mut client = Client::connect(server.address).await?;
    let mut total = 0;
    for request in list.iter() {
        total += client.expect(200, request).await?.len();
    }
    Ok(total / list.len())
}
