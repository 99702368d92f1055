//! The figures of the process, in Prometheus' default registry.
//!
//! Names are constants of the code, so making a metric cannot fail at run time in a way that only an operator would
//! see: keep it in a `static LazyLock` beside the code that counts, and a wrong name fails the first test there.
//!
//! ```ignore
//! static HOLDS: LazyLock<IntCounterVec> = LazyLock::new(|| metrics::counters("holds_total", "Holds by outcome.", &["outcome"]));
//! HOLDS.with_label_values(&["taken"]).inc();
//! ```

use std::sync::LazyLock;

use prometheus::{
    Encoder, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGaugeVec, Opts,
    TextEncoder,
    core::{Collector, Desc},
    proto::MetricFamily,
};

/// Bounds in seconds for calls between half a millisecond and ten seconds.
pub const CALL_SECONDS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// A family of counters. Call it once per name.
pub fn counters(name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    registered(IntCounterVec::new(Opts::new(name, help), labels))
}

/// A family of gauges of whole numbers. Call it once per name.
pub fn int_gauges(name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
    registered(IntGaugeVec::new(Opts::new(name, help), labels))
}

/// A family of gauges. Call it once per name.
pub fn gauges(name: &str, help: &str, labels: &[&str]) -> GaugeVec {
    registered(GaugeVec::new(Opts::new(name, help), labels))
}

/// A family of histograms. Call it once per name; [`CALL_SECONDS`] fits most.
pub fn histograms(name: &str, help: &str, labels: &[&str], bounds: &[f64]) -> HistogramVec {
    registered(HistogramVec::new(HistogramOpts::new(name, help).buckets(bounds.to_vec()), labels))
}

/// A histogram without labels. Call it once per name.
pub fn histogram(name: &str, help: &str, bounds: &[f64]) -> Histogram {
    registered(Histogram::with_opts(HistogramOpts::new(name, help).buckets(bounds.to_vec())))
}

#[expect(clippy::expect_used, reason = "names are constants: a wrong one fails the first test that counts")]
fn registered<M: Collector + Clone + 'static>(metric: prometheus::Result<M>) -> M {
    let metric = metric.expect("a metric needs a valid name and labels");
    prometheus::register(Box::new(metric.clone())).expect("a metric is registered once");
    metric
}

static BUILD_INFO: LazyLock<IntGaugeVec> =
    LazyLock::new(|| int_gauges("build_info", "The version that runs; always 1.", &["version"]));
static MEMORY: LazyLock<()> = LazyLock::new(|| {
    if let Err(error) = prometheus::register(Box::new(Memory::new())) {
        tracing::warn!(error = %error, "no memory figure");
    }
});
static POOL: LazyLock<IntGaugeVec> = LazyLock::new(|| {
    int_gauges("db_pool_connections", "Connections of the database pool by state.", &["service", "state"])
});
static OUTBOX_LAG: LazyLock<GaugeVec> = LazyLock::new(|| {
    gauges("outbox_lag_seconds", "Age of the oldest event that readers cannot see yet.", &["service"])
});
static WORKER_FAILURES: LazyLock<IntCounterVec> =
    LazyLock::new(|| counters("worker_step_failures_total", "Steps of background workers that failed.", &["worker"]));

/// Registers what every process has: `build_info` and the resident memory. Calling it again does no harm.
pub fn init(version: &str) {
    BUILD_INFO.with_label_values(&[version]).set(1);
    LazyLock::force(&MEMORY);
}

/// Sets how many connections of a service's pool are in use and how many are idle.
pub fn set_pool(service: &str, in_use: u32, idle: u32) {
    POOL.with_label_values(&[service, "in_use"]).set(i64::from(in_use));
    POOL.with_label_values(&[service, "idle"]).set(i64::from(idle));
}

/// The gauge `outbox_lag_seconds` of a service.
pub fn outbox_lag(service: &str) -> Gauge {
    OUTBOX_LAG.with_label_values(&[service])
}

/// Failed steps of a worker loop.
pub(crate) fn worker_failures(worker: &str) -> IntCounter {
    WORKER_FAILURES.with_label_values(&[worker])
}

/// All figures in Prometheus' text format.
pub fn render() -> String {
    let mut text = Vec::new();
    if let Err(error) = TextEncoder::new().encode(&prometheus::gather(), &mut text) {
        tracing::warn!(error = %error, "metrics could not be written");
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// The resident memory, read when it is asked for.
struct Memory {
    gauge: Gauge,
}

impl Memory {
    #[expect(clippy::expect_used, reason = "the name is a constant: a wrong one fails the test below")]
    fn new() -> Self {
        let gauge = Gauge::new("process_resident_memory_bytes", "Resident memory of the process.");
        Self { gauge: gauge.expect("a metric needs a valid name") }
    }
}

impl Collector for Memory {
    fn desc(&self) -> Vec<&Desc> {
        self.gauge.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let bytes = resident_bytes().unwrap_or_default();
        self.gauge.set(bytes);
        self.gauge.collect()
    }
}

/// From `VmRSS` of `/proc/self/status`, which is in kB whatever the page size.
fn resident_bytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes = line.split_whitespace().next()?.parse::<f64>().ok()?;
    Some(kilobytes * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_process_tells_its_version_and_memory() {
        init("1.2.3");
        init("1.2.3");
        set_pool("booking", 3, 5);
        outbox_lag("booking").set(0.25);
        let text = render();
        for line in [
            "build_info{version=\"1.2.3\"} 1",
            "db_pool_connections{service=\"booking\",state=\"in_use\"} 3",
            "outbox_lag_seconds{service=\"booking\"} 0.25",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        let memory = text.lines().find_map(|line| line.strip_prefix("process_resident_memory_bytes ")).unwrap();
        assert!(memory.parse::<f64>().unwrap() > 1_000_000.0, "{memory}");
    }
}
