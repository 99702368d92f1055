//! Log lines that name their trace.

use std::{fmt, sync::OnceLock};

use opentelemetry::trace::{TraceContextExt, TraceId};
use tracing::{Event, Subscriber, dispatcher::WeakDispatch};
use tracing_subscriber::{
    Registry,
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

/// The subscriber whose spans know their trace.
pub(super) static SUBSCRIBER: OnceLock<WeakDispatch> = OnceLock::new();

/// Adds `trace_id` to the lines that `inner` writes.
pub(super) struct WithTrace<F> {
    inner: F,
    json: bool,
}

impl<F> WithTrace<F> {
    pub(super) fn text(inner: F) -> Self {
        Self { inner, json: false }
    }

    pub(super) fn json(inner: F) -> Self {
        Self { inner, json: true }
    }
}

impl<S, N, F> FormatEvent<S, N> for WithTrace<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let Some(trace) = current_trace() else {
            return self.inner.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.inner.format_event(context, Writer::new(&mut line), event)?;
        let line = line.trim_end();
        if self.json {
            writeln!(writer, "{},\"trace_id\":\"{trace}\"}}", line.strip_suffix('}').unwrap_or(line))
        } else {
            writeln!(writer, "{line} trace_id={trace}")
        }
    }
}

/// The trace of this thread's current span. The log's filter may hide that span from the formatter, so the registry is
/// asked; a span of too low a level to be traced belongs to the trace of the span around it.
fn current_trace() -> Option<TraceId> {
    let subscriber = SUBSCRIBER.get()?.upgrade()?;
    let current = subscriber.current_span();
    let span = subscriber.downcast_ref::<Registry>()?.span(current.id()?)?;
    let context = span.scope().find_map(|span| tracing_opentelemetry::get_otel_context(&span.id(), &subscriber))?;
    let trace = context.span().span_context().trace_id();
    (trace != TraceId::INVALID).then_some(trace)
}
