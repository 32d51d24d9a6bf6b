//! What is counted, and how Prometheus reads it. Only ids of routes are kept, never of people.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::histogram::Histogram;
use crate::identity::Identity;
use crate::live::Live;
use crate::store::Times;

const CLASSES: [&str; 5] = ["2xx", "3xx", "4xx", "5xx", "other"];

/// What is counted of one operation.
#[derive(Default)]
struct Counted {
    label: String,
    answers: [AtomicU64; CLASSES.len()],
    latency: Histogram,
}

/// Everything that is counted.
#[derive(Default)]
pub struct Metrics {
    operations: Vec<Counted>,
    elsewhere: AtomicU64,
}

impl Metrics {
    /// For operations of these methods and paths, which are later called by their place.
    pub fn new<'o>(operations: impl IntoIterator<Item = (&'o str, &'static str)>) -> Metrics {
        let counted = |(method, path)| Counted {
            label: format!("method=\"{method}\",route=\"{path}\""),
            ..Counted::default()
        };
        Metrics { operations: operations.into_iter().map(counted).collect(), ..Metrics::default() }
    }

    /// Counts one answer of an operation, or of none.
    pub fn answered(&self, operation: Option<usize>, status: u16, duration: Duration) {
        let Some(counted) = operation.and_then(|index| self.operations.get(index)) else {
            self.elsewhere.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let class = match status / 100 {
            class @ 2..=5 => usize::from(class) - 2,
            _ => CLASSES.len() - 1,
        };
        if let Some(answers) = counted.answers.get(class) {
            answers.fetch_add(1, Ordering::Relaxed);
        }
        counted.latency.observe(duration);
    }

    /// Everything, as Prometheus reads it.
    pub fn print(&self, streams: usize, live: &Live, identity: &Identity, store: &Times) -> String {
        let mut out = String::new();
        heading(&mut out, "dezky_requests_total", "counter", "Requests answered.");
        for counted in &self.operations {
            for (class, answers) in CLASSES.iter().zip(&counted.answers) {
                let answers = answers.load(Ordering::Relaxed);
                if answers > 0 {
                    let _ = writeln!(
                        out,
                        "dezky_requests_total{{{},status=\"{class}\"}} {answers}",
                        counted.label
                    );
                }
            }
        }
        let elsewhere = self.elsewhere.load(Ordering::Relaxed);
        let _ = writeln!(out, "dezky_requests_total{{method=\"\",route=\"\",status=\"4xx\"}} {elsewhere}");
        heading(&mut out, "dezky_request_seconds", "histogram", "How long answers took.");
        for counted in self.operations.iter().filter(|counted| counted.latency.count() > 0) {
            counted.latency.print(&mut out, "dezky_request_seconds", &counted.label);
        }
        heading(&mut out, "dezky_store_read_seconds", "histogram", "How long the store's reads took.");
        store.reads.print(&mut out, "dezky_store_read_seconds", "");
        heading(&mut out, "dezky_store_write_seconds", "histogram", "How long durable writes took.");
        store.writes.print(&mut out, "dezky_store_write_seconds", "");
        heading(&mut out, "dezky_key_set_age_seconds", "gauge", "Since an issuer's keys were last fetched.");
        for (issuer, age) in identity.key_ages() {
            if let Some(age) = age {
                let _ = writeln!(
                    out,
                    "dezky_key_set_age_seconds{{issuer=\"{}\"}} {age}",
                    issuer.replace(['"', '\\', '\n'], "_")
                );
            }
        }
        heading(&mut out, "dezky_streams", "gauge", "Streams of news that are open.");
        let _ = writeln!(out, "dezky_streams {streams}");
        let state = live.read();
        heading(&mut out, "dezky_revision", "gauge", "The newest revision.");
        let _ = writeln!(out, "dezky_revision {}", state.revision);
        heading(&mut out, "dezky_entities", "gauge", "How many there are.");
        for (kind, count) in state.sizes() {
            let _ = writeln!(out, "dezky_entities{{kind=\"{kind}\"}} {count}");
        }
        out
    }
}

fn heading(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}
