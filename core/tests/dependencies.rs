//! Core depends on no crate with an async runtime, a network, a clock or randomness.
#![allow(clippy::unwrap_used)]

use std::process::Command;

/// Crates that provide an async runtime, HTTP, a clock or randomness.
const FORBIDDEN: [&str; 22] = [
    "tokio",
    "async-std",
    "smol",
    "futures",
    "mio",
    "hyper",
    "reqwest",
    "ureq",
    "h2",
    "axum",
    "http",
    "chrono",
    "time",
    "jiff",
    "web-time",
    "instant",
    "rand",
    "rand_core",
    "getrandom",
    "fastrand",
    "uuid",
    "ahash",
];

#[test]
fn no_dependency_makes_results_differ_between_calls() {
    let arguments = [
        "tree",
        "--locked",
        "--package",
        "dezky-core",
        "--edges",
        "normal",
        "--target",
        "all",
        "--prefix",
        "none",
    ];
    let output = Command::new(env!("CARGO")).args(arguments).arg("--format").arg("{p}").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let crates: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains(&"dezky-core") && crates.contains(&"sha2"), "{crates:?}");
    let found: Vec<_> = crates.iter().filter(|name| FORBIDDEN.contains(name)).collect();
    assert!(found.is_empty(), "{found:?}");
}
