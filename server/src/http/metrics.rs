//! The Prometheus metrics of the server. Labels name routes, never people or tenants.

use std::sync::OnceLock;
use std::time::Duration;

use prometheus::{
    GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, Result, TextEncoder,
};

use super::connection_slots::ConnectionSlots;
use crate::histogram::BUCKETS;
use crate::store::StoreTimes;

const CLASSES: [&str; 5] = ["2xx", "3xx", "4xx", "5xx", "other"];

/// The series of one endpoint. Each is created at the first response and then reached without a
/// lock.
struct EndpointSeries {
    method: String,
    route: &'static str,
    answers: [OnceLock<IntCounter>; CLASSES.len()],
    latency: OnceLock<Histogram>,
}

/// The registry with all counters, gauges and histograms.
pub struct Metrics {
    registry: Registry,
    operations: Vec<EndpointSeries>,
    unrouted: EndpointSeries,
    requests: IntCounterVec,
    latencies: HistogramVec,
    refusals: IntCounterVec,
    key_ages: GaugeVec,
    streams: IntGauge,
    connections: IntGauge,
    revision: IntGauge,
    entities: IntGaugeVec,
}

/// The current values that are read when the metrics are printed.
pub struct Gauges {
    /// Seconds since the keys of each issuer were last fetched.
    pub key_ages: Vec<(String, Option<f64>)>,
    /// The number of open event streams.
    pub streams: usize,
    /// The number of open connections.
    pub connections: usize,
    /// The newest revision of the change log.
    pub revision: u64,
    /// The number of records of each kind.
    pub entities: Vec<(&'static str, usize)>,
}

impl EndpointSeries {
    fn new(method: &str, route: &'static str) -> EndpointSeries {
        EndpointSeries {
            method: method.to_owned(),
            route,
            answers: Default::default(),
            latency: OnceLock::new(),
        }
    }
}

impl Metrics {
    /// Creates the metrics for these methods and paths; their order defines the index of a route.
    pub fn new<'o>(
        operations: impl IntoIterator<Item = (&'o str, &'static str)>,
        times: &StoreTimes,
        connections: &ConnectionSlots,
    ) -> Result<Metrics> {
        let counter = |name, help, labels: &[&str]| IntCounterVec::new(Opts::new(name, help), labels);
        let seconds = HistogramOpts::new("dezky_request_seconds", "Time to answer a request, by route.");
        let metrics = Metrics {
            registry: Registry::new(),
            operations: operations
                .into_iter()
                .map(|(method, route)| EndpointSeries::new(method, route))
                .collect(),
            unrouted: EndpointSeries::new("", ""),
            requests: counter(
                "dezky_requests_total",
                "Answered requests by route and status.",
                &["method", "route", "status"],
            )?,
            latencies: HistogramVec::new(seconds.buckets(BUCKETS.to_vec()), &["method", "route"])?,
            refusals: counter(
                "dezky_refusals_total",
                "Responses with 401, 403 or 429, by code.",
                &["reason"],
            )?,
            key_ages: GaugeVec::new(
                Opts::new(
                    "dezky_key_set_age_seconds",
                    "Seconds since the keys of an issuer were last fetched.",
                ),
                &["issuer"],
            )?,
            streams: IntGauge::new("dezky_streams", "Open event streams.")?,
            connections: IntGauge::new("dezky_connections", "Open connections.")?,
            revision: IntGauge::new("dezky_revision", "The newest revision of the change log.")?,
            entities: IntGaugeVec::new(Opts::new("dezky_entities", "Number of records by kind."), &["kind"])?,
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
        registry.register(Box::new(connections.closed().clone()))?;
        Ok(metrics)
    }

    /// Counts one response of an endpoint, or of an unknown path.
    pub fn answered(&self, operation: Option<usize>, status: u16, duration: Duration) {
        let counted = operation.and_then(|index| self.operations.get(index));
        let class = match status / 100 {
            class @ 2..=5 => usize::from(class) - 2,
            _ => CLASSES.len() - 1,
        };
        let EndpointSeries { method, route, answers, latency } = counted.unwrap_or(&self.unrouted);
        let method = method.as_str();
        if let (Some(answers), Some(class)) = (answers.get(class), CLASSES.get(class)) {
            answers.get_or_init(|| self.requests.with_label_values(&[method, *route, *class])).inc();
        }
        if counted.is_some() {
            let latency = latency.get_or_init(|| self.latencies.with_label_values(&[method, *route]));
            latency.observe(duration.as_secs_f64());
        }
    }

    /// Counts one refused request by its code.
    pub fn refused(&self, code: &'static str) {
        self.refusals.with_label_values(&[code]).inc();
    }

    /// Serializes all metrics in the text format of Prometheus.
    pub fn print(&self, gauges: &Gauges) -> Result<String> {
        for (issuer, age) in &gauges.key_ages {
            if let Some(age) = age {
                self.key_ages.with_label_values(&[issuer]).set(*age);
            }
        }
        self.streams.set(gauge(gauges.streams));
        self.connections.set(gauge(gauges.connections));
        self.revision.set(i64::try_from(gauges.revision).unwrap_or(i64::MAX));
        for (kind, count) in &gauges.entities {
            self.entities.with_label_values(&[kind]).set(gauge(*count));
        }
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
