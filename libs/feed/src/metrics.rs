//! Figures of the consumers.

use std::sync::LazyLock;

use kernel::Timestamp;
use prometheus::{Gauge, GaugeVec, Histogram, HistogramVec, IntCounter, IntCounterVec};
use runtime::metrics::{CALL_SECONDS, counters, gauges, histograms};

use crate::{Event, cursor::Replica, server::seconds_between};

static LAG: LazyLock<GaugeVec> = LazyLock::new(|| {
    gauges(
        "feed_lag_seconds",
        "Age of the event that is to be applied next, or 0 if all are applied.",
        &["feed", "consumer", "partition"],
    )
});
static DELAY: LazyLock<HistogramVec> = LazyLock::new(|| {
    histograms("feed_delay_seconds", "Time from an event to its effect.", &["feed", "consumer"], CALL_SECONDS)
});
static FAILURES: LazyLock<IntCounterVec> = LazyLock::new(|| {
    counters("feed_failures_total", "Attempts to read or apply events that failed.", &["feed", "consumer"])
});

/// The figures of one partition; its lag is forgotten when the partition is given up.
pub(crate) struct Meter {
    labels: [String; 3],
    lag: Gauge,
    delay: Histogram,
    failures: IntCounter,
}

impl Meter {
    pub(crate) fn new(replica: &Replica, partition: i16) -> Self {
        let labels = [replica.feed.to_owned(), replica.consumer.to_owned(), partition.to_string()];
        Self {
            lag: LAG.with_label_values(&labels),
            delay: DELAY.with_label_values(&labels[..2]),
            failures: FAILURES.with_label_values(&labels[..2]),
            labels,
        }
    }

    /// `event` is to be applied next.
    pub(crate) fn waiting(&self, event: &Event, now: Timestamp) {
        self.lag.set(seconds_between(event.occur_time, now));
    }

    /// `events` were applied.
    pub(crate) fn applied(&self, events: &[Event], now: Timestamp) {
        for event in events {
            self.delay.observe(seconds_between(event.occur_time, now));
        }
        self.lag.set(0.0);
    }

    pub(crate) fn failed(&self) {
        self.failures.inc();
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        // Gone already if two sessions of one process overlapped; nothing else can go wrong.
        let _ = LAG.remove_label_values(&self.labels);
    }
}
