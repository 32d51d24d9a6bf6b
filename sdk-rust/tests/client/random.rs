//! Random sequences of faults: the client only uses published rules, never goes back to older ones,
//! and ends with the newest.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use dezky::Client;

use crate::faults::faults;
use crate::server::{Fault, Server, digest, snapshot};
use crate::support::{millis, options, until};

/// A small repeatable random number generator.
struct Random(u64);

impl Random {
    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % count as u64) as usize
    }
}

#[test]
fn no_sequence_of_faults_makes_the_client_use_unpublished_rules() {
    let threads: Vec<_> = (1..=8).map(|seed| thread::spawn(move || play(seed))).collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

fn play(seed: u64) {
    let mut random = Random(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
    let bodies: Vec<String> = (1..=40)
        .map(|revision| {
            snapshot(revision, &[("a", if random.below(2) == 0 { "on" } else { "off" }), ("b", "off")])
        })
        .collect();
    let server = Server::start(bodies[0].clone());
    let file = crate::support::folder().join("flags.json");
    let client = Arc::new(Client::connect(options(&server.url()).0.file(file)).unwrap());
    let is_over = Arc::new(AtomicBool::new(false));
    let reader = check_rules(seed, client.clone(), &bodies, is_over.clone());
    for (number, body) in bodies.iter().enumerate().skip(1) {
        add_faults(&server, &mut random, &bodies[..number]);
        match random.below(6) {
            0 => server.end_streams(),
            1 => server.send("data: {\"digest\":\"\nevent: revision\n\nnonsense\r\r"),
            2 => server.announce(&digest(&bodies[0])),
            _ => {}
        }
        match random.below(4) {
            0 => server.set(body),
            _ => server.publish(body),
        }
        thread::sleep(millis(random.below(40) as u64));
    }
    server.announce(&digest(&bodies[39]));
    until("the last revision", || client.ruleset().revision() == 40);
    is_over.store(true, Ordering::Relaxed);
    reader.join().unwrap();
}

/// Checks on another thread that the client only uses published rules, and never older ones.
fn check_rules(
    seed: u64,
    client: Arc<Client>,
    bodies: &[String],
    is_over: Arc<AtomicBool>,
) -> JoinHandle<()> {
    let published: HashMap<String, u64> =
        (1..).zip(bodies).map(|(number, body)| (digest(body), number)).collect();
    thread::spawn(move || {
        let mut highest = 0;
        while !is_over.load(Ordering::Relaxed) {
            let rules = client.ruleset();
            let revision = published[rules.digest().as_str()];
            assert!(rules.revision() == revision && revision >= highest, "seed {seed}");
            highest = revision;
            thread::sleep(millis(1));
        }
    })
}

/// Queues up to three faults for the next requests.
fn add_faults(server: &Server, random: &mut Random, earlier: &[String]) {
    let kinds = faults();
    for _ in 0..random.below(4) {
        let fault = match random.below(kinds.len() + 3) {
            0 => Fault::FalseUnchanged,
            1 => Fault::Earlier(earlier[random.below(earlier.len())].clone()),
            2 => Fault::Slow(millis(20)),
            kind => kinds[kind - 3].0.clone(),
        };
        // Longer delays would only slow down the test.
        let fault = if matches!(fault, Fault::Slow(_)) { Fault::Slow(millis(20)) } else { fault };
        let mut state = server.state();
        match random.below(3) {
            0 => state.stream_faults.push_back(fault),
            _ => state.faults.push_back(fault),
        }
    }
}
