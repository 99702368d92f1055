//! Watches one call from its first byte to its last: the span's status, the metric, and the end of a stream.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Instant;
use tonic::{Code, Status, body::Body};
use tracing::{Span, debug};

use crate::metrics;

/// The name of the status header and trailer.
const GRPC_STATUS: &str = "grpc-status";

/// Counts a call exactly once, when it ends. Dropped before that, the caller has gone: `CANCELLED`.
#[derive(Debug)]
pub(crate) struct Watch {
    service: &'static str,
    method: &'static str,
    started: Instant,
    span: Span,
    ended: bool,
}

impl Watch {
    pub(crate) fn start((service, method): (&'static str, &'static str), span: Span) -> Self {
        Self { service, method, started: Instant::now(), span, ended: false }
    }

    pub(crate) fn end(&mut self, code: Code) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let took = self.started.elapsed();
        metrics::observe(self.service, self.method, code, took);
        self.span.record("rpc.grpc.status_code", i64::from(i32::from(code)));
        if is_server_fault(code) {
            self.span.record("otel.status_code", "ERROR");
        }
        debug!(parent: &self.span, ?code, took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX), "call ended");
    }

    /// Ends the call at once if the headers say how it went, else when the body ends.
    pub(crate) fn follow(mut self, response: http::Response<Body>) -> http::Response<Body> {
        if let Some(code) = code_in(response.headers()) {
            self.end(code);
            return response;
        }
        if response.body().is_end_stream() {
            self.end(Code::Unknown);
            return response;
        }
        response.map(|inner| Body::new(Watched { inner, watch: self }))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end(Code::Cancelled);
    }
}

/// The codes that mark a server span as failed (OpenTelemetry semantic conventions for gRPC).
fn is_server_fault(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}

fn code_in(headers: &HeaderMap) -> Option<Code> {
    headers.get(GRPC_STATUS).map(|value| Code::from_bytes(value.as_bytes()))
}

/// A response body whose end is seen.
struct Watched {
    inner: Body,
    watch: Watch,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let span = self.watch.span.clone();
        let _entered = span.enter();
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
                    self.watch.end(code_in(trailers).unwrap_or(Code::Unknown));
                }
            }
            Some(Err(status)) => self.watch.end(status.code()),
            None => self.watch.end(Code::Unknown),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
