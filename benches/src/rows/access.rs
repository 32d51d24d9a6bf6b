//! The authorization row, and one SHA-256 block as the cost of hashing alone.

use std::hint::black_box;

use cedar_policy::Request;
use sha2::{Digest, Sha256};

use crate::access::{Case, Cases};
use crate::measure::{Effort, interleaved, short};
use crate::ours;
use crate::peers::Peer;
use crate::peers::casbin::{Arguments, Casbin};
use crate::peers::cedar::Cedar;
use crate::report::{Cell, Row, Way};

pub fn rows(effort: Effort) -> Result<Vec<Row>, String> {
    let cases = Cases::new();
    let cedar = Cedar::new(&cases)?;
    let casbin = Casbin::new(&cases)?;
    for case in &cases.verified() {
        verify(case, &cedar, &casbin)?;
    }
    Ok(vec![decide_row(&cases, &cedar, &casbin, effort)?, block_row(effort)])
}

fn verify(case: &Case<'_>, cedar: &Cedar, casbin: &Casbin) -> Result<(), String> {
    let arguments = Casbin::arguments(case);
    let answers = [
        ("ours", ours::is_allowed(&ours::question(case)?)),
        ("cedar", cedar.is_allowed(&Cedar::request(case)?)),
        ("casbin", casbin.is_allowed(&arguments)),
        // Asked twice, so that the second answer comes from the cache.
        ("casbin, filling its cache", casbin.is_allowed_by_cache(&arguments)),
        ("casbin, from its cache", casbin.is_allowed_by_cache(&arguments)),
    ];
    match answers.iter().find(|(_, allowed)| *allowed != case.allowed) {
        None => Ok(()),
        Some((name, allowed)) => Err(format!(
            "{name}: {} by a {} (platform admin: {}) is {allowed}, expected {}",
            case.action, case.person.role, case.person.platform_admin, case.allowed
        )),
    }
}

fn decide_row(cases: &Cases, cedar: &Cedar, casbin: &Casbin, effort: Effort) -> Result<Row, String> {
    let measured_cases = cases.measured();
    assert!(measured_cases.len().is_power_of_two());
    let mask = measured_cases.len() - 1;
    let questions: Vec<ours::Question> =
        measured_cases.iter().map(ours::question).collect::<Result<_, _>>()?;
    let requests: Vec<Request> = measured_cases.iter().map(Cedar::request).collect::<Result<_, _>>()?;
    let arguments: Vec<Arguments> = measured_cases.iter().map(Casbin::arguments).collect();

    let mut contestants = [
        short(|turn| ours::is_allowed(black_box(&questions[turn as usize & mask]))),
        short(|turn| cedar.is_allowed(black_box(&requests[turn as usize & mask]))),
        short(|turn| casbin.is_allowed(black_box(&arguments[turn as usize & mask]))),
        short(|turn| casbin.is_allowed_by_cache(black_box(&arguments[turn as usize & mask]))),
    ];
    let [ours, cedar, plain, cached] = interleaved(&mut contestants, effort)
        .try_into()
        .map(|measured: [_; 4]| measured.map(Cell::time_and_allocations))
        .map_err(|_| "four contestants give four figures")?;
    Ok(Row {
        bar: Some(25.0),
        bar_of_allocations: true,
        peers: vec![
            (Peer::Cedar, cedar),
            (Peer::Casbin, Cell { note: "deciding", ..plain }),
            (Peer::Casbin, Cell { note: "cached answer", way: Way::Shortcut, ..cached }),
        ],
        bar_of_ratio: Some(50.0),
        ..Row::context("`decide`: a member may read the tenant", ours)
    })
}

fn block_row(effort: Effort) -> Row {
    // The input of a rollout: a 24-hex id, a colon and a key. Up to 55 bytes fit one block.
    let input = *b"0123456789abcdef01234567:billing_export_42";
    let measured = interleaved(&mut [short(|_| Sha256::digest(black_box(&input)))], effort);
    Row::context("one SHA-256 block by sha2", Cell::time(measured[0]))
}
