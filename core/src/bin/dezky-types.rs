//! `dezky-types SNAPSHOT.json` writes a Rust constant for every flag of a snapshot, so that a
//! misspelled key does not compile.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::ExitCode;

use dezky_core::flags::Snapshot;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(file), None) = (arguments.next(), arguments.next()) else {
        return fail("usage: dezky-types SNAPSHOT.json > src/flags.rs");
    };
    let read = std::fs::read(&file).map_err(|error| error.to_string());
    let snapshot = read.and_then(|bytes| Snapshot::from_json(&bytes).map_err(|error| error.to_string()));
    match snapshot {
        Ok(snapshot) => match std::io::stdout().write_all(constants(&snapshot).as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error.to_string()),
        },
        Err(reason) => fail(&format!("{}: {reason}", file.display())),
    }
}

fn fail(reason: &str) -> ExitCode {
    // If standard error is closed, the exit code alone reports the failure.
    let _ = writeln!(std::io::stderr(), "dezky-types: {reason}");
    ExitCode::FAILURE
}

fn constants(snapshot: &Snapshot) -> String {
    let (environment, revision) = (snapshot.environment(), snapshot.revision());
    let mut text =
        format!("//! The flags of {environment} at revision {revision}, written by dezky-types.\n");
    let mut taken = BTreeSet::new();
    for flag in snapshot.flags() {
        let name = constant_name(flag.key.as_str(), &taken);
        text.push_str(&format!("\n/// `{key}`\npub const {name}: &str = \"{key}\";\n", key = flag.key));
        taken.insert(name);
    }
    text
}

/// Converts `jmap-native_v2` to `JMAP_NATIVE_V2`. A name that is taken gets a number.
fn constant_name(key: &str, taken: &BTreeSet<String>) -> String {
    let mut name = key.replace('-', "_").to_ascii_uppercase();
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        name.insert(0, '_');
    }
    let numbered = (2_usize..).map(|number| format!("{name}_{number}"));
    std::iter::once(name.clone()).chain(numbered).find(|name| !taken.contains(name)).unwrap_or(name)
}
