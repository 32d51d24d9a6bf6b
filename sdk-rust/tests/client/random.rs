//! Random scripts of faults: whatever happens, what is in use was published, never goes back, and in the end is what is out.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use dezky::Client;

use crate::faults::faults;
use crate::server::{Fault, Server, digest, snapshot};
use crate::support::{millis, options, until};

/// Small and repeatable.
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % count as u64) as usize
    }
}

#[test]
fn no_script_of_faults_yields_what_was_not_published() {
    let threads: Vec<_> = (1..=8).map(|seed| thread::spawn(move || play(seed))).collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

fn play(seed: u64) {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
    let bodies: Vec<String> = (1..=40)
        .map(|revision| {
            snapshot(revision, &[("a", if dice.below(2) == 0 { "on" } else { "off" }), ("b", "off")])
        })
        .collect();
    let published: HashMap<String, u64> =
        (1..).zip(&bodies).map(|(number, body)| (digest(body), number)).collect();
    let server = Server::start(bodies[0].clone());
    let file = crate::support::folder().join("flags.json");
    let client = Arc::new(Client::connect(options(&server.url()).0.file(file)).unwrap());
    let is_over = Arc::new(AtomicBool::new(false));
    let reader = {
        let (client, is_over) = (client.clone(), is_over.clone());
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
    };
    let kinds = faults();
    for (number, body) in bodies.iter().enumerate().skip(1) {
        for _ in 0..dice.below(4) {
            let fault = match dice.below(kinds.len() + 3) {
                0 => Fault::FalseSame,
                1 => Fault::Earlier(bodies[dice.below(number)].clone()),
                2 => Fault::Slow(millis(20)),
                kind => kinds[kind - 3].0.clone(),
            };
            // A slow answer costs the test its time.
            let fault = if matches!(fault, Fault::Slow(_)) { Fault::Slow(millis(20)) } else { fault };
            let mut state = server.state();
            match dice.below(3) {
                0 => state.stream_faults.push_back(fault),
                _ => state.faults.push_back(fault),
            }
        }
        match dice.below(6) {
            0 => server.end_streams(),
            1 => server.send("data: {\"digest\":\"\nevent: revision\n\nnonsense\r\r"),
            2 => server.announce(&digest(&bodies[0])),
            _ => {}
        }
        match dice.below(4) {
            0 => server.set(body),
            _ => server.publish(body),
        }
        thread::sleep(millis(dice.below(40) as u64));
    }
    server.announce(&digest(&bodies[39]));
    until("the last revision", || client.ruleset().revision() == 40);
    is_over.store(true, Ordering::Relaxed);
    reader.join().unwrap();
}
