//! Helpers that the client's tests share.
#![allow(dead_code)]

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use dezky::flags::Subject;
use dezky::testing::Timing;
use dezky::{Client, ClientEvent, ClientStatus, ConnectOptions};

use crate::server::Server;

pub const SECOND: Duration = Duration::from_secs(1);

pub fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Intervals and timeouts that are much shorter than the defaults.
pub fn short_timing() -> Timing {
    Timing {
        poll_interval: SECOND * 20,
        min_backoff: millis(10),
        request_timeout: millis(700),
        silence: SECOND * 20,
        settled: millis(300),
        spacing: millis(50),
        subject_patience: millis(300),
        sign_off: SECOND,
    }
}

/// Options for a client, and the events that it will emit.
pub fn options(url: &str) -> (ConnectOptions, Events) {
    let (sender, receiver) = mpsc::channel();
    let options = ConnectOptions::new(url, "dzk_test").timing(short_timing()).max_backoff(millis(200));
    (options.on(move |event| drop(sender.send(event.clone()))), Events(receiver))
}

pub fn connected(server: &Server) -> (Client, Events) {
    let (options, events) = options(&server.url());
    let client = Client::connect(options).unwrap();
    let revision = client.ruleset().revision();
    assert_eq!(events.next(), ClientEvent::Ready { revision });
    assert_eq!(client.status(), ClientStatus::Ready);
    (client, events)
}

pub struct Events(pub Receiver<ClientEvent>);

impl Events {
    pub fn next(&self) -> ClientEvent {
        self.0.recv_timeout(SECOND * 60).expect("an event arrives within a minute")
    }

    /// The name of the next event; for an error, its code.
    pub fn next_name(&self) -> String {
        match self.next() {
            ClientEvent::Error { error, fatal } => {
                assert!(!fatal);
                error.code.as_str().to_owned()
            }
            event => event.name().to_owned(),
        }
    }

    pub fn next_change(&self) -> (u64, Vec<String>) {
        match self.next() {
            ClientEvent::Change { revision, keys } => {
                (revision, keys.iter().map(|key| key.as_str().to_owned()).collect())
            }
            other => panic!("{other:?}"),
        }
    }

    /// The names of the events so far; for errors, their codes.
    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        while let Ok(event) = self.0.try_recv() {
            names.push(match event {
                ClientEvent::Error { error, .. } => error.code.as_str().to_owned(),
                event => event.name().to_owned(),
            });
        }
        names
    }

    pub fn none_for(&self, time: Duration) {
        assert_eq!(self.0.recv_timeout(time).ok(), None);
    }
}

pub fn subject() -> Subject<'static> {
    Subject::new("t1", "acme", "business").unwrap()
}

/// Waits until a condition holds.
pub fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < SECOND * 60, "timed out waiting for: {what}");
        std::thread::sleep(millis(2));
    }
}

/// A new temporary folder.
pub fn folder() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("dezky-client-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
