//! A stream of replies → newline-delimited JSON. An error after the first line is the last line: `{"error": {…}}`.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderValue, Response, header::CONTENT_TYPE};
use prost_reflect::DescriptorPool;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

use super::response;
use crate::{errors::Failure, routes::Binding};

/// The content type of newline-delimited JSON.
pub const NDJSON: HeaderValue = HeaderValue::from_static("application/x-ndjson");

/// Answers with one line for each reply, as they come. It ends when the gateway stops.
pub fn respond<S>(
    binding: Arc<Binding>,
    replies: S,
    pool: DescriptorPool,
    stopping: CancellationToken,
) -> Response<Body>
where
    S: Stream<Item = Result<Bytes, Status>> + Send + Unpin + 'static,
{
    let state = Some((replies, binding, pool, stopping));
    let lines = stream::unfold(state, |state| async move {
        let (mut replies, binding, pool, stopping) = state?;
        let next = tokio::select! {
            next = replies.next() => next,
            () = stopping.cancelled() => Some(Err(Status::unavailable("the gateway stops; go on with another"))),
        };
        let line = next?
            .map_err(|status| Failure::from_backend(status, &binding.package))
            .and_then(|reply| response::encode(&binding, reply));
        Some(match line {
            Ok(body) => (with_newline(&body.bytes), Some((replies, binding, pool, stopping))),
            Err(failure) => {
                let line = serde_json::json!({ "error": failure.to_json(&pool) }).to_string();
                (with_newline(line.as_bytes()), None)
            }
        })
    });
    let mut response = Response::new(Body::from_stream(lines.map(Ok::<_, std::convert::Infallible>)));
    response.headers_mut().insert(CONTENT_TYPE, NDJSON);
    response
}

/// Why an RPC that streams raw bodies can't be served: there is no agreed way to frame them.
pub fn refuse_raw() -> Failure {
    Failure::new(Code::Unimplemented, "RAW_STREAM", "streams of raw bodies are offered over gRPC only")
}

fn with_newline(line: &[u8]) -> Bytes {
    let mut bytes = Vec::with_capacity(line.len() + 1);
    bytes.extend_from_slice(line);
    bytes.push(b'\n');
    bytes.into()
}
