//! Two parts of core beside the plainer form that they replace.

use std::hint::black_box;

use dezky_core::access::AccessRequest;
use dezky_core::host;
use hashbrown::HashTable;

use crate::access::Cases;
use crate::core_index::index::{Index, hash_name, same_text};
use crate::measure::{Effort, interleaved, short};
use crate::ours;
use crate::report::{Cell, Row};
use crate::workload::Workload;

/// More than the keys of any document here, so that lookups follow no pattern.
const LOOKUPS: usize = 4_096;

pub fn rows(effort: Effort) -> Result<Vec<Row>, String> {
    let mut rows = lookup_rows(
        100,
        ["one name of 100: core's `Index`", "one name of 100: `hashbrown::HashTable` with the same hash"],
        effort,
    )?;
    rows.extend(lookup_rows(
        10_000,
        [
            "one name of 10,000: core's `Index`",
            "one name of 10,000: `hashbrown::HashTable` with the same hash",
        ],
        effort,
    )?);
    rows.extend(document_rows(effort)?);
    Ok(rows)
}

/// Finds shuffled keys of a workload's flags in both tables.
fn lookup_rows(flags: usize, names: [&'static str; 2], effort: Effort) -> Result<Vec<Row>, String> {
    let workload = Workload::new(flags, 1);
    let keys: Vec<&str> = workload.flags.iter().map(|flag| flag.key.as_str()).collect();
    let mut index = Index::with_capacity(keys.len());
    let mut table = HashTable::with_capacity(keys.len());
    for (number, key) in (0..).zip(&keys) {
        index.insert(hash_name(key), number);
        table.insert_unique(hash_name(key), number, |&number: &u32| hash_name(keys[number as usize]));
    }
    let find = |key: &str| index.find(hash_name(key), |number| same_text(keys[number as usize], key));
    let find_in_table =
        |key: &str| table.find(hash_name(key), |&number| same_text(keys[number as usize], key)).copied();
    if keys.iter().any(|key| find(key).is_none() || find(key) != find_in_table(key)) {
        return Err("the two tables find different positions".to_owned());
    }
    // 2,654,435,761 is prime, so that the walk visits the keys in no useful order.
    let wanted: Vec<&str> = (0..LOOKUPS).map(|turn| keys[turn * 2_654_435_761 % keys.len()]).collect();
    let mut works = [
        short(|turn| find(black_box(wanted[turn as usize % LOOKUPS]))),
        short(|turn| find_in_table(black_box(wanted[turn as usize % LOOKUPS]))),
    ];
    let measured = interleaved(&mut works, effort);
    Ok(names.into_iter().zip(measured).map(|(name, cell)| Row::context(name, Cell::time(cell))).collect())
}

/// Decides request documents: read in place, and through owned values.
fn document_rows(effort: Effort) -> Result<Vec<Row>, String> {
    let cases = Cases::new();
    let documents: Vec<Vec<u8>> =
        cases.measured().iter().map(|case| ours::document(case).into_bytes()).collect();
    let owned = |document: &[u8]| AccessRequest::from_json(document).map(|request| request.decide().allowed);
    for document in &documents {
        let answer = host::decide(document).map_err(|error| error.to_string())?;
        let is_allowed = owned(document).map_err(|error| error.to_string())?;
        if answer.contains("\"allowed\":true") != is_allowed {
            return Err(format!("the two forms of a decision differ: {answer}"));
        }
    }
    let turn_of = |turn: u64| black_box(documents[turn as usize % documents.len()].as_slice());
    let mut works = [short(|turn| host::decide(turn_of(turn))), short(|turn| owned(turn_of(turn)))];
    let measured = interleaved(&mut works, effort);
    let names =
        ["a decision from a document, read in place", "a decision from a document, through owned values"];
    let cells = measured.into_iter().map(Cell::time_and_allocations);
    Ok(names.into_iter().zip(cells).map(|(name, cell)| Row::context(name, cell)).collect())
}
