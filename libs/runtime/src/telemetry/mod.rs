//! Logs and traces.
//!
//! Log lines go to standard error, spans of level INFO and above to the OTLP collector if there is one. The two are
//! filtered apart: fewer log lines do not make holes in a trace. Without a collector spans still carry a trace id, so
//! that a log line of one service can be matched with those of another; they are marked as not sampled.
//!
//! Call [`init`] once, from `main`, inside the tokio runtime (the exporter's channel lives on it).

mod format;

use std::{io::IsTerminal, time::Duration};

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider},
};
use tracing::{Dispatch, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::Targets,
    layer::{Filter, SubscriberExt},
};

use crate::config::{ConfigError, LogFormat, TelemetrySettings};

const EXPORT_TIMEOUT: Duration = Duration::from_secs(3);

/// Keeps telemetry going; when dropped, what has not been sent yet is sent (for at most five seconds).
///
/// Drop it at the end of `main`, not on a worker thread of the runtime.
#[derive(Debug)]
#[must_use = "spans that are not sent yet are lost without it"]
pub struct Guard {
    provider: SdkTracerProvider,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Err(error) = self.provider.shutdown() {
            tracing::warn!(error = %error, "not all spans could be sent");
        }
    }
}

/// Starts logs and traces for this process. `service` becomes the resource attribute `service.name`.
///
/// # Errors
/// When the filter or the collector's address is not valid, or telemetry has been started before.
pub fn init(settings: &TelemetrySettings, service: &str) -> Result<Guard, ConfigError> {
    let provider = provider(settings, service)?;

    let dispatch = Dispatch::new(subscriber(settings, &provider)?);
    // The formatter finds the trace of a line through the subscriber that it is part of.
    let _ = format::SUBSCRIBER.set(dispatch.downgrade());
    tracing::dispatcher::set_global_default(dispatch).map_err(|error| ConfigError::new("telemetry", error))?;

    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    opentelemetry::global::set_tracer_provider(provider.clone());
    Ok(Guard { provider })
}

fn subscriber(
    settings: &TelemetrySettings,
    provider: &SdkTracerProvider,
) -> Result<impl tracing::Subscriber + Send + Sync + use<>, ConfigError> {
    let traces = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("meridian"))
        // A span is entered at every poll of its future; both would be done each time. Nobody asks OpenTelemetry for the
        // current context: that is the span's.
        .with_context_activation(false)
        .with_tracked_inactivity(false)
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_filter(LevelFilter::INFO);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let filter = filter(&settings.filter)?;
    let lines: Box<dyn Layer<_> + Send + Sync> = match settings.log_format {
        LogFormat::Text => {
            let ansi = std::io::stderr().is_terminal();
            let format = tracing_subscriber::fmt::format().with_ansi(ansi);
            lines.with_ansi(ansi).event_format(format::WithTrace::text(format)).with_filter(filter).boxed()
        }
        LogFormat::Json => {
            let format = tracing_subscriber::fmt::format().json().flatten_event(true).with_span_list(false);
            lines.json().event_format(format::WithTrace::json(format)).with_filter(filter).boxed()
        }
    };
    Ok(Registry::default().with(traces).with(lines))
}

/// An `EnvFilter` looks at every span that is entered. Most filters are about targets and levels alone, and then there is
/// nothing to see.
fn filter<S>(text: &str) -> Result<Box<dyn Filter<S> + Send + Sync>, ConfigError>
where
    EnvFilter: Filter<S>,
    Targets: Filter<S>,
{
    if let Ok(targets) = text.parse::<Targets>() {
        return Ok(Box::new(targets));
    }
    let filter = EnvFilter::try_new(text).map_err(|error| ConfigError::new("telemetry.filter", error))?;
    Ok(Box::new(filter))
}

fn provider(settings: &TelemetrySettings, service: &str) -> Result<SdkTracerProvider, ConfigError> {
    let resource = Resource::builder().with_service_name(service.to_owned()).build();
    let builder = SdkTracerProvider::builder().with_resource(resource);
    let Some(endpoint) = &settings.otlp_endpoint else {
        return Ok(builder.with_sampler(Sampler::AlwaysOff).build());
    };
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .with_timeout(EXPORT_TIMEOUT)
        .build()
        .map_err(|error| ConfigError::new("telemetry.otlp_endpoint", error))?;
    let sampler = Sampler::ParentBased(Box::new(Sampler::AlwaysOn));
    Ok(builder.with_sampler(sampler).with_batch_exporter(exporter).build())
}
