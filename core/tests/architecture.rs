//! The layers of core: which module may use which, compared with the source code.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each top-level module with the modules that it uses, from the bottom layer to the top.
///
/// A module uses only modules above its line, so there are no circles.
const LAYERS: &[(&str, &[&str])] = &[
    ("codes", &[]),
    ("limits", &[]),
    ("schema", &[]),
    ("text", &[]),
    ("error", &["codes", "limits", "text"]),
    ("json", &["codes", "error", "limits", "text"]),
    ("names", &["codes", "error", "json", "schema", "text"]),
    ("time", &["codes", "error", "json", "schema"]),
    ("hash", &["names", "text"]),
    ("flags", &["codes", "error", "hash", "json", "limits", "names", "schema", "text"]),
    ("model", &["codes", "error", "flags", "hash", "json", "limits", "names", "schema", "time"]),
    ("access", &["codes", "error", "json", "limits", "model", "names", "text"]),
    ("world", &["codes", "error", "flags", "hash", "json", "limits", "model", "names", "schema", "text"]),
    ("token", &["codes", "error", "json", "limits", "names", "time"]),
    ("host", &["access", "error", "flags", "json", "limits", "model", "names", "text", "world"]),
    ("prelude", &["access", "codes", "error", "flags", "world"]),
];

#[test]
fn every_module_uses_only_lower_layers() {
    let mut lower = BTreeSet::new();
    for (module, used) in LAYERS {
        for used in *used {
            assert!(lower.contains(used), "`{module}` may use `{used}` only if `{used}` is listed above it");
        }
        assert!(lower.insert(module), "`{module}` is listed twice");
    }
}

#[test]
fn the_table_equals_the_uses_in_the_source() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let reexports = reexports(&fs::read_to_string(source.join("lib.rs")).unwrap());
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in rust_files(&source) {
        let path = file.strip_prefix(&source).unwrap();
        let module = path.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        if module == "lib" || module == "bin" {
            continue;
        }
        let code = without_tests_and_comments(&fs::read_to_string(&file).unwrap());
        assert!(!code.contains("super::super::"), "{}: write `crate::` instead", path.display());
        let used = found.entry(module.clone()).or_default();
        for name in names_after_crate(&code) {
            let name = reexports.get(&name).unwrap_or(&name);
            if *name != module {
                used.insert(name.clone());
            }
        }
    }
    let table = |(module, used): &(&str, &[&str])| {
        ((*module).to_owned(), used.iter().map(|&used| used.to_owned()).collect::<BTreeSet<_>>())
    };
    let expected: BTreeMap<_, _> = LAYERS.iter().map(table).collect();
    for module in expected.keys().chain(found.keys()) {
        assert_eq!(
            found.get(module),
            expected.get(module),
            "uses of the module `{module}`, found and listed"
        );
    }
}

#[test]
fn architecture_md_shows_the_table() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ARCHITECTURE.md");
    let document = fs::read_to_string(document).unwrap();
    let drawn: Vec<(String, Vec<String>)> = document
        .lines()
        .filter_map(|line| line.split_once("uses  "))
        .map(|(module, used)| {
            let used = used.split_whitespace().filter(|used| *used != "-").map(str::to_owned);
            (module.trim().to_owned(), used.collect())
        })
        .collect();
    let owned = |used: &[&str]| used.iter().map(|&used| used.to_owned()).collect();
    let table: Vec<_> =
        LAYERS.iter().rev().map(|(module, used)| ((*module).to_owned(), owned(used))).collect();
    assert_eq!(drawn, table, "the drawing in ARCHITECTURE.md, and the table of this test");
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The items that lib.rs exports from private modules, each with its module:
/// `pub use codes::Code;`.
fn reexports(lib: &str) -> BTreeMap<String, String> {
    let paths = lib.lines().filter_map(|line| line.strip_prefix("pub use ")?.strip_suffix(';'));
    paths
        .filter_map(|path| path.split_once("::"))
        .map(|(module, item)| (item.to_owned(), module.to_owned()))
        .collect()
}

/// Removes comments, and the items after `#[cfg(test)]`, which end at the next unindented brace or
/// semicolon.
fn without_tests_and_comments(source: &str) -> String {
    let mut code = String::new();
    let mut is_test = false;
    for line in source.lines() {
        if line == "#[cfg(test)]" {
            is_test = true;
        } else if is_test {
            is_test = !(line == "}" || (line.ends_with(';') && !line.starts_with(' ')));
        } else {
            code.push_str(line.split("//").next().unwrap_or_default());
            code.push('\n');
        }
    }
    code
}

/// The first names of all paths after `crate::`, also of grouped imports:
/// `crate::{Code, limits::MAX_DEPTH}`.
fn names_after_crate(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, pattern) in code.match_indices("crate::") {
        let rest = code.split_at(at + pattern.len()).1;
        match rest.strip_prefix('{') {
            Some(group) => names.extend(group_members(group).into_iter().map(first_name)),
            None => drop(names.insert(first_name(rest))),
        }
    }
    names
}

/// Splits an import group, whose opening brace is removed, at its top-level commas.
fn group_members(group: &str) -> Vec<&str> {
    let (mut members, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, character) in group.char_indices() {
        let is_end = character == '}' && depth == 0;
        if is_end || (character == ',' && depth == 0) {
            members.extend(group.get(start..at).map(str::trim).filter(|member| !member.is_empty()));
            start = at + 1;
        }
        match character {
            '{' => depth += 1,
            '}' if is_end => break,
            '}' => depth -= 1,
            _ => {}
        }
    }
    members
}

fn first_name(path: &str) -> String {
    path.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect()
}
