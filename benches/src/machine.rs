//! The end of the report: versions of the peers, the compiler, the processor and its load.

use std::fs;

use crate::peers::Peer;

/// The lock file of this build, so that the printed versions are those of this program.
const LOCK_FILE: &str = include_str!("../Cargo.lock");

pub fn description() -> String {
    let mut lines = vec![format!("Peers: {}.", peer_versions())];
    lines.push(format!("Context row: sha2 {}.", version_of("sha2")));
    lines.push(format!("Compiler: {}.", env!("COMPILER_VERSION")));
    lines.push(format!("Processor: {}, {} cores.", processor(), cores()));
    lines.push(format!("Load average at the end: {}.", load_average()));
    lines.join("\n")
}

pub fn load_average() -> String {
    let contents = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Vec<&str> = contents.split_whitespace().take(3).collect();
    if load.is_empty() { "unknown".to_owned() } else { load.join(" ") }
}

fn peer_versions() -> String {
    let versions = Peer::ALL.map(|peer| format!("{} {}", peer.package(), version_of(peer.package())));
    versions.join(", ")
}

/// Returns all versions of a package, because the lock file can hold several.
fn version_of(package: &str) -> String {
    let name_line = format!("name = \"{package}\"");
    let mut lines = LOCK_FILE.lines();
    let mut versions = Vec::new();
    while lines.by_ref().any(|line| line == name_line) {
        let version = lines.next().and_then(|line| line.strip_prefix("version = "));
        versions.extend(version.map(|version| version.trim_matches('"')));
    }
    if versions.is_empty() { "unknown".to_owned() } else { versions.join(" and ") }
}

fn processor() -> String {
    let contents = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = contents.lines().find_map(|line| line.strip_prefix("model name"));
    let name = model.and_then(|rest| rest.split(':').nth(1)).map(str::trim);
    name.unwrap_or("unknown processor").to_owned()
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
