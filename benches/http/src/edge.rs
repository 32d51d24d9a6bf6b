//! The peer: Unleash Edge without an upstream, with the same flags in its own format.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use dezky_core::flags::{Axis, FlagRule, Snapshot, State};
use serde_json::{Value, json};

use crate::client::request;
use crate::process::{Server, free_address, ready};
use crate::workload::Tenant;
use crate::{Failure, workload};

/// What a frontend comes with; any project of one environment.
const TOKEN: &str = "*:production.0192f0c1d00070008000000000000001";

/// What another Edge or a backend would come with. It has to be given one.
const CLIENT_TOKEN: &str = "*:production.0192f0c1d00070008000000000000002";

/// A running one, or why there is none.
pub enum Edge {
    /// It serves.
    Running {
        /// The process.
        server: Server,
        /// Its name and version.
        name: String,
    },
    /// In words.
    Absent(String),
}

impl Edge {
    /// Starts it with the flags of a snapshot.
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
        // In its favour: by default it opens spans for every request.
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

/// Where `edge.sh` puts it.
fn installed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/edge/bin/unleash-edge")
}

/// With its version, as `cargo install` has noted it; it does not say so itself.
fn name(binary: &Path) -> String {
    let noted = binary.ancestors().nth(2).map(|root| root.join(".crates.toml"));
    let noted = noted.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
    let version = noted.split_once("\"unleash-edge ").and_then(|(_, rest)| rest.split(' ').next());
    version.map_or_else(|| "unleash-edge".to_owned(), |version| format!("unleash-edge {version}"))
}

fn reason(binary: &Path) -> String {
    let left = binary.ancestors().nth(2).map(|root| root.join("absent"));
    let reason = left.and_then(|path| fs::read_to_string(path).ok());
    reason
        .map_or_else(|| "benches/http/edge.sh has not installed it".to_owned(), |text| text.trim().to_owned())
}

/// One flag, as its frontend SDKs ask for it. The tenant's slug is its user.
pub fn asked_one(key: &str, tenant: &Tenant) -> Vec<u8> {
    asked(&format!("/api/frontend/features/{key}"), tenant)
}

/// All flags.
pub fn asked_all(tenant: &Tenant) -> Vec<u8> {
    asked("/api/frontend/all", tenant)
}

fn asked(path: &str, tenant: &Tenant) -> Vec<u8> {
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
    let is_for_nobody = flag.state == State::Targeted && constraints.is_empty();
    let enabled = flag.state != State::Off && !is_for_nobody;
    json!({ "name": flag.key, "type": "release", "project": "default", "enabled": enabled, "strategies": strategies })
}

/// What it says of a flag must be what the rule of scopes says; its rollouts hash differently, so there nothing may be on outside the scope.
pub fn check(answer: &Value, workload: &workload::Workload, tenant: usize) -> Result<usize, Failure> {
    let toggles = answer.get("toggles").and_then(Value::as_array).ok_or("an answer without toggles")?;
    let mut in_rollouts = 0;
    for flag in &workload.flags {
        let named = |toggle: &&Value| toggle.get("name").and_then(Value::as_str) == Some(flag.key.as_str());
        let toggle = toggles.iter().find(named).ok_or("a flag is missing")?;
        let said = toggle.get("enabled").and_then(Value::as_bool).ok_or("a flag without an answer")?;
        let in_scope = workload.in_scope(flag, tenant);
        let is_right = match flag.state {
            workload::State::Off => !said,
            workload::State::On => said,
            workload::State::Targeted => said == in_scope,
            workload::State::Rollout => in_scope || !said,
        };
        if !is_right {
            return Err(format!("unleash-edge: {} for tenant {tenant}: {said}", flag.key).into());
        }
        in_rollouts += usize::from(said && flag.state == workload::State::Rollout);
    }
    Ok(in_rollouts)
}
