//! Measures Dezky and its peers side by side and prints a Markdown report.

extern crate alloc;

mod access;
mod agreement;
mod allocations;
mod contestant;
mod core_index;
mod digits;
mod engine;
mod layout;
mod machine;
mod measure;
mod ours;
mod peers;
mod random;
mod report;
mod rows;
mod workload;

use std::process::ExitCode;

use measure::Effort;
use report::Row;

const USAGE: &str = "\
cargo run --release [-- OPTIONS]
  --quick   run a few short rounds as a check; the figures are not reliable
  --strict  exit with 2 if a bar is missed";

const EXIT_DISAGREEMENT: u8 = 1;
const EXIT_MISSED: u8 = 2;
const EXIT_USAGE: u8 = 64;

fn main() -> ExitCode {
    let (mut effort, mut strict) = (Effort::FULL, false);
    for option in std::env::args().skip(1) {
        match option.as_str() {
            "--quick" => effort = Effort::QUICK,
            "--strict" => strict = true,
            _ => {
                eprintln!("{USAGE}");
                return ExitCode::from(EXIT_USAGE);
            }
        }
    }
    let load_before = machine::load_average();
    let rows = match measure_everything(effort) {
        Ok(rows) => rows,
        Err(disagreement) => {
            eprintln!("Nothing is measured, because the engines disagree: {disagreement}");
            return ExitCode::from(EXIT_DISAGREEMENT);
        }
    };
    println!("{}\n\n{}", report::list(&rows), machine::description());
    println!("Load average before the first round: {load_before}.");
    let is_missed = rows.iter().any(|row| !row.misses().is_empty());
    match strict && is_missed {
        true => ExitCode::from(EXIT_MISSED),
        false => ExitCode::SUCCESS,
    }
}

fn measure_everything(effort: Effort) -> Result<Vec<Row>, String> {
    let mut rows = rows::flags::rows(effort)?;
    rows.extend(rows::live::rows(effort)?);
    rows.extend(rows::large::rows(effort)?);
    rows.extend(rows::population::rows(effort)?);
    rows.extend(rows::access::rows(effort)?);
    rows.extend(rows::choices::rows(effort)?);
    Ok(rows)
}
