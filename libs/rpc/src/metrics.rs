//! Rate, errors and duration of every RPC, in the default Prometheus registry.

use std::{sync::LazyLock, time::Duration};

use prometheus::{HistogramOpts, HistogramVec};
use tonic::Code;
use tracing::error;

use crate::status::code_name;

/// Seconds. A search takes single milliseconds; the default deadline is the last bound.
const BUCKETS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

static CALLS: LazyLock<Option<HistogramVec>> = LazyLock::new(|| {
    let options =
        HistogramOpts::new("rpc_server_call_duration_seconds", "How long RPCs took to answer, by final code.")
            .buckets(BUCKETS.to_vec());
    let registered = HistogramVec::new(options, &["service", "method", "code"]).and_then(|calls| {
        prometheus::default_registry().register(Box::new(calls.clone()))?;
        Ok(calls)
    });
    registered.inspect_err(|error| error!(%error, "rpc metrics are not registered")).ok()
});

/// Counts one ended call.
pub(crate) fn observe(service: &str, method: &str, code: Code, took: Duration) {
    if let Some(calls) = CALLS.as_ref() {
        calls.with_label_values(&[service, method, code_name(code)]).observe(took.as_secs_f64());
    }
}
