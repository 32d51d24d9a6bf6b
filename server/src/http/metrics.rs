//! What is counted, and how Prometheus reads it. Only ids of routes are kept, never of people.

use std::sync::OnceLock;
use std::time::Duration;

use prometheus::{
    GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, Result, TextEncoder,
};

use super::places::Places;
use crate::app::App;
use crate::histogram::BUCKETS;
use crate::store::StoreTimes;

const CLASSES: [&str; 5] = ["2xx", "3xx", "4xx", "5xx", "other"];

/// The series of one operation. A series begins with its first answer, and is then reached without a lock.
struct Counted {
    method: String,
    route: &'static str,
    answers: [OnceLock<IntCounter>; CLASSES.len()],
    latency: OnceLock<Histogram>,
}

/// Everything that is counted.
pub struct Metrics {
    registry: Registry,
    operations: Vec<Counted>,
    elsewhere: Counted,
    requests: IntCounterVec,
    latencies: HistogramVec,
    refusals: IntCounterVec,
    key_ages: GaugeVec,
    streams: IntGauge,
    connections: IntGauge,
    revision: IntGauge,
    entities: IntGaugeVec,
}

impl Counted {
    fn new(method: &str, route: &'static str) -> Counted {
        Counted { method: method.to_owned(), route, answers: Default::default(), latency: OnceLock::new() }
    }
}

impl Metrics {
    /// For operations of these methods and paths, which are later called by their place.
    pub fn new<'o>(
        operations: impl IntoIterator<Item = (&'o str, &'static str)>,
        times: &StoreTimes,
        places: &Places,
    ) -> Result<Metrics> {
        let counter = |name, help, labels: &[&str]| IntCounterVec::new(Opts::new(name, help), labels);
        let seconds = HistogramOpts::new("dezky_request_seconds", "How long answers took.");
        let metrics = Metrics {
            registry: Registry::new(),
            operations: operations.into_iter().map(|(method, route)| Counted::new(method, route)).collect(),
            elsewhere: Counted::new("", ""),
            requests: counter("dezky_requests_total", "Requests answered.", &["method", "route", "status"])?,
            latencies: HistogramVec::new(seconds.buckets(BUCKETS.to_vec()), &["method", "route"])?,
            refusals: counter(
                "dezky_refusals_total",
                "Answers 401, 403 and 429, by their code.",
                &["reason"],
            )?,
            key_ages: GaugeVec::new(
                Opts::new("dezky_key_set_age_seconds", "Since an issuer's keys were last fetched."),
                &["issuer"],
            )?,
            streams: IntGauge::new("dezky_streams", "Streams of news that are open.")?,
            connections: IntGauge::new("dezky_connections", "Connections that are open.")?,
            revision: IntGauge::new("dezky_revision", "The newest revision.")?,
            entities: IntGaugeVec::new(Opts::new("dezky_entities", "How many there are."), &["kind"])?,
        };
        let registry = &metrics.registry;
        registry.register(Box::new(metrics.requests.clone()))?;
        registry.register(Box::new(metrics.latencies.clone()))?;
        registry.register(Box::new(metrics.refusals.clone()))?;
        registry.register(Box::new(metrics.key_ages.clone()))?;
        registry.register(Box::new(metrics.streams.clone()))?;
        registry.register(Box::new(metrics.connections.clone()))?;
        registry.register(Box::new(metrics.revision.clone()))?;
        registry.register(Box::new(metrics.entities.clone()))?;
        registry.register(Box::new(times.reads.clone()))?;
        registry.register(Box::new(times.writes.clone()))?;
        registry.register(Box::new(places.ended().clone()))?;
        Ok(metrics)
    }

    /// Counts one answer of an operation, or of none.
    pub fn answered(&self, operation: Option<usize>, status: u16, duration: Duration) {
        let counted = operation.and_then(|index| self.operations.get(index));
        let class = match status / 100 {
            class @ 2..=5 => usize::from(class) - 2,
            _ => CLASSES.len() - 1,
        };
        let Counted { method, route, answers, latency } = counted.unwrap_or(&self.elsewhere);
        let method = method.as_str();
        if let (Some(answers), Some(class)) = (answers.get(class), CLASSES.get(class)) {
            answers.get_or_init(|| self.requests.with_label_values(&[method, *route, *class])).inc();
        }
        if counted.is_some() {
            let latency = latency.get_or_init(|| self.latencies.with_label_values(&[method, *route]));
            latency.observe(duration.as_secs_f64());
        }
    }

    /// Counts one refusal of a caller.
    pub fn refused(&self, code: &'static str) {
        self.refusals.with_label_values(&[code]).inc();
    }

    /// Everything, as Prometheus reads it.
    pub fn print(&self, app: &App) -> Result<String> {
        for (issuer, age) in app.identity.key_ages() {
            if let Some(age) = age {
                self.key_ages.with_label_values(&[&issuer]).set(age);
            }
        }
        self.streams.set(gauge(app.streams.count()));
        self.connections.set(gauge(app.places.taken()));
        let state = app.live.read();
        self.revision.set(i64::try_from(state.revision).unwrap_or(i64::MAX));
        for (kind, count) in state.sizes() {
            self.entities.with_label_values(&[kind]).set(gauge(count));
        }
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
