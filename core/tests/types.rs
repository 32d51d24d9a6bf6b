//! Tests of `dezky-types`: its constants compile and cover every key of the snapshot.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

fn dezky_types(snapshot: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dezky-types")).arg(snapshot).output().unwrap()
}

fn written(name: &str, text: &str) -> std::path::PathBuf {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&file, text).unwrap();
    file
}

#[test]
fn every_key_becomes_a_constant_that_compiles() {
    let keys = ["2fa", "a-b", "a_b", "jmap_native_v2"];
    let flags = keys.map(|key| format!(r#"{{ "key": "{key}", "state": "off" }}"#)).join(",");
    let snapshot =
        format!(r#"{{ "format": 1, "revision": 7, "environment": "production", "flags": [{flags}] }}"#);
    let output = dezky_types(&written("snapshot.json", &snapshot));
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    for line in [
        r#"pub const _2FA: &str = "2fa";"#,
        r#"pub const A_B: &str = "a-b";"#,
        r#"pub const A_B_2: &str = "a_b";"#,
        r#"pub const JMAP_NATIVE_V2: &str = "jmap_native_v2";"#,
    ] {
        assert!(text.lines().any(|each| each == line), "{line} is missing in\n{text}");
    }

    let source = written("flags.rs", &text);
    let library = source.with_extension("rlib");
    let rustc = std::env::var_os("RUSTC").unwrap_or("rustc".into());
    let compiled = Command::new(rustc)
        .args(["--crate-type=lib", "--edition=2024", "-Dwarnings", "-o"])
        .args([&library, &source])
        .status()
        .unwrap();
    assert!(compiled.success());
}

#[test]
fn an_invalid_snapshot_is_reported_with_code_and_path() {
    let file = written("broken.json", r#"{ "format": 1, "revision": 7, "environment": "production" }"#);
    let output = dezky_types(&file);
    assert!(!output.status.success() && output.stdout.is_empty());
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("missing") && message.contains("/flags"), "{message}");
}
