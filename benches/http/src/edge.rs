//! The peer Unleash Edge, without an upstream, with the same flags in its format.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use dezky_core::flags::{Axis, FlagRule, Snapshot, State};
use serde_json::{Value, json};

use crate::client::request;
use crate::process::{Server, free_address, ready};
use crate::workload::Tenant;
use crate::{Failure, workload};

/// The token of a frontend, valid for all projects of one environment.
const TOKEN: &str = "*:production.0192f0c1d00070008000000000000001";

/// The token of a backend or another Edge. Unleash Edge requires one.
const CLIENT_TOKEN: &str = "*:production.0192f0c1d00070008000000000000002";

/// A running Unleash Edge, or the reason why it does not run.
pub enum Edge {
    /// Unleash Edge is running.
    Running {
        /// The process and its address.
        server: Server,
        /// The name with the version.
        name: String,
    },
    /// The reason, for the report.
    Absent(String),
}

impl Edge {
    /// Starts Unleash Edge with the flags of a snapshot.
    pub async fn start(
        binary: Option<&Path>,
        directory: &Path,
        snapshot: &Snapshot,
    ) -> Result<Edge, Failure> {
        let binary = binary.map_or_else(installed, Path::to_path_buf);
        if !binary.exists() {
            return Ok(Edge::Absent(reason(&binary)));
        }
        let name = name(&binary);
        let features = directory.join("features.json");
        fs::write(&features, document(snapshot).to_string())?;
        let address = free_address()?;
        let log = directory.join("edge.log");
        let mut command = Command::new(binary);
        command.args(["--interface", "127.0.0.1", "--port", &address.port().to_string(), "offline"]);
        command.args(["--client-tokens", CLIENT_TOKEN, "--frontend-tokens", TOKEN, "--bootstrap-file"]);
        // In the peer's favor: by default it opens spans for every request.
        command.arg(features).env("RUST_LOG", "warn").stdin(Stdio::null()).stdout(File::create(&log)?);
        command.stderr(File::options().append(true).open(&log)?);
        Ok(match ready(command, address, "/internal-backstage/health", &log).await {
            Ok(started) => Edge::Running { server: started.server, name },
            Err(failure) => {
                Edge::Absent(format!("{name}: {}", failure.to_string().replace(['\n', '|'], " ")))
            }
        })
    }
}

/// Returns the path to which `edge.sh` installs the binary.
fn installed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/edge/bin/unleash-edge")
}

/// Returns the name with the version that `cargo install` recorded.
fn name(binary: &Path) -> String {
    let recorded = binary.ancestors().nth(2).map(|root| root.join(".crates.toml"));
    let recorded = recorded.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
    let version = recorded.split_once("\"unleash-edge ").and_then(|(_, rest)| rest.split(' ').next());
    version.map_or_else(|| "unleash-edge".to_owned(), |version| format!("unleash-edge {version}"))
}

fn reason(binary: &Path) -> String {
    let reason_file = binary.ancestors().nth(2).map(|root| root.join("absent"));
    let reason = reason_file.and_then(|path| fs::read_to_string(path).ok());
    reason
        .map_or_else(|| "benches/http/edge.sh has not installed it".to_owned(), |text| text.trim().to_owned())
}

/// Builds the request of a frontend SDK for one flag. The slug of the tenant is the user.
pub fn one_request(key: &str, tenant: &Tenant) -> Vec<u8> {
    frontend_request(&format!("/api/frontend/features/{key}"), tenant)
}

/// Builds the request of a frontend SDK for all flags.
pub fn all_request(tenant: &Tenant) -> Vec<u8> {
    frontend_request("/api/frontend/all", tenant)
}

fn frontend_request(path: &str, tenant: &Tenant) -> Vec<u8> {
    let target = format!("{path}?userId={}&properties[plan]={}", tenant.slug, tenant.plan);
    request("GET", &target, "", &format!("authorization: {TOKEN}\r\n"), "")
}

fn document(snapshot: &Snapshot) -> Value {
    json!({ "version": 2, "features": snapshot.flags().iter().map(feature).collect::<Vec<Value>>() })
}

fn feature(flag: &FlagRule) -> Value {
    let mut constraints = Vec::new();
    for (axis, name) in [(Axis::Plans, "plan"), (Axis::TenantSlugs, "userId")] {
        let values: Vec<&str> = flag.scope.values(axis).collect();
        if !values.is_empty() {
            constraints.push(json!({ "contextName": name, "operator": "IN", "values": values }));
        }
    }
    let strategies = match flag.state {
        State::Off | State::On => json!([]),
        State::Targeted => json!([{ "name": "default", "constraints": constraints }]),
        State::Rollout => json!([{
            "name": "flexibleRollout",
            "parameters": { "rollout": flag.pct.to_string(), "stickiness": "userId", "groupId": flag.key },
            "constraints": constraints,
        }]),
    };
    let matches_no_tenant = flag.state == State::Targeted && constraints.is_empty();
    let enabled = flag.state != State::Off && !matches_no_tenant;
    json!({ "name": flag.key, "type": "release", "project": "default", "enabled": enabled, "strategies": strategies })
}

/// Compares an answer with the scope rule and returns the number of rollouts that are on.
///
/// Unleash hashes differently, so a rollout must only be off outside its scope.
pub fn check(answer: &Value, workload: &workload::Workload, tenant: usize) -> Result<usize, Failure> {
    let toggles = answer.get("toggles").and_then(Value::as_array).ok_or("an answer without toggles")?;
    let mut in_rollouts = 0;
    for flag in &workload.flags {
        let named = |toggle: &&Value| toggle.get("name").and_then(Value::as_str) == Some(flag.key.as_str());
        let toggle = toggles.iter().find(named).ok_or("a flag is missing")?;
        let enabled_by_edge =
            toggle.get("enabled").and_then(Value::as_bool).ok_or("a flag without an answer")?;
        let in_scope = workload.in_scope(flag, tenant);
        let is_right = match flag.state {
            workload::State::Off => !enabled_by_edge,
            workload::State::On => enabled_by_edge,
            workload::State::Targeted => enabled_by_edge == in_scope,
            workload::State::Rollout => in_scope || !enabled_by_edge,
        };
        if !is_right {
            return Err(format!("unleash-edge: {} for tenant {tenant}: {enabled_by_edge}", flag.key).into());
        }
        in_rollouts += usize::from(enabled_by_edge && flag.state == workload::State::Rollout);
    }
    Ok(in_rollouts)
}
