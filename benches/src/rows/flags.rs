//! A hundred flags: one by name in each state that costs something, and all of them for a tenant.

use crate::agreement::verify_everything;
use crate::engine::{FlagEngine, Loaded};
use crate::measure::{Effort, Work, interleaved, short};
use crate::ours::Ours;
use crate::report::{Cell, Row, Unit};
use crate::workload::{State, Workload};

use super::{Field, cells, keys};

const FLAGS: usize = 100;
const TENANTS: usize = 1_000;
const PAIRS: usize = 1_024;

struct ByName {
    what: &'static str,
    state: State,
    bar: f64,
    bar_of_ratio: f64,
}

const BY_NAME: [ByName; 3] = [
    ByName { what: "`is_enabled` by name: off", state: State::Off, bar: 15.0, bar_of_ratio: 2.5 },
    ByName {
        what: "`is_enabled` by name: targeted, in scope",
        state: State::Targeted,
        bar: 35.0,
        bar_of_ratio: 5.0,
    },
    ByName {
        what: "`is_enabled` by name: rollout that hashes",
        state: State::Rollout,
        bar: 110.0,
        bar_of_ratio: 2.5,
    },
];

pub fn rows(effort: Effort) -> Result<Vec<Row>, String> {
    let workload = Workload::new(FLAGS, TENANTS);
    let field = Field::<Ours>::new(&workload)?;
    verify_everything("ours", &field.ours, &workload)?;
    verify_everything("eppo", &field.eppo, &workload)?;
    verify_everything("unleash", &field.unleash, &workload)?;
    verify_everything("launchdarkly", &field.launchdarkly, &workload)?;

    let mut rows: Vec<Row> =
        BY_NAME.iter().map(|by_name| by_name_row(by_name, &workload, &field, effort)).collect();
    rows.push(all_row(&field, effort));
    Ok(rows)
}

fn by_name_row(by_name: &ByName, workload: &Workload, field: &Field<Ours>, effort: Effort) -> Row {
    let keys = keys(workload);
    let pairs = workload.pairs_in_scope(by_name.state, PAIRS);
    let measured = interleaved(&mut field.by_name(&keys, &pairs), effort);
    let (ours, peers) = cells(&measured, Cell::time);
    Row {
        what: by_name.what,
        unit: Unit::Nanoseconds,
        ours,
        bar: Some(by_name.bar),
        bar_of_allocations: false,
        peers,
        bar_of_ratio: Some(by_name.bar_of_ratio),
    }
}

fn all_row(field: &Field<Ours>, effort: Effort) -> Row {
    let mut contestants =
        [all(&field.ours), all(&field.eppo), all(&field.unleash), all(&field.launchdarkly)];
    let (ours, peers) = cells(&interleaved(&mut contestants, effort), Cell::time_and_allocations);
    Row {
        what: "`evaluate_all`, 100 flags for a tenant",
        unit: Unit::Nanoseconds,
        ours,
        bar: Some(1_500.0),
        bar_of_allocations: true,
        peers,
        bar_of_ratio: Some(12.0),
    }
}

/// Every tenant in turn, into one answer that is reused.
fn all<Engine: FlagEngine>(loaded: &Loaded<Engine>) -> Work<'_> {
    let mut evaluation = loaded.engine.new_evaluation();
    let mut tenant_index = 0;
    short(move |_| {
        loaded.engine.evaluate_all(std::hint::black_box(&loaded.subjects[tenant_index]), &mut evaluation);
        std::hint::black_box(&evaluation);
        tenant_index += 1;
        if tenant_index == loaded.subjects.len() {
            tenant_index = 0;
        }
    })
}
