//! Reading request bodies within bounds.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{
    HeaderMap,
    header::{CONTENT_LENGTH, EXPECT},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tonic::Code;

use crate::errors::Failure;

/// How much of a refused body is still read, in bytes, and for how long. A client that is still sending when the
/// connection closes would else see a broken connection in place of the answer.
const DISCARD_BYTES: usize = 4 * 1024 * 1024;
const DISCARD_TIME: Duration = Duration::from_secs(2);

/// Reads the body up to `limit` bytes.
pub async fn read(headers: &HeaderMap, body: &mut Body, limit: usize) -> Result<Bytes, Failure> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|announced| announced > limit) {
        return Err(Failure::too_large(limit));
    }
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Failure::too_large(limit)),
        Err(_) => Err(Failure::new(Code::InvalidArgument, "BODY_INCOMPLETE", "the request body ended early")),
    }
}

/// Reads on without keeping anything, after the request was refused. A client that waits to be asked for its body
/// isn't asked.
pub async fn discard(headers: &HeaderMap, body: Body) {
    if headers.contains_key(EXPECT) {
        return;
    }
    let mut body = Limited::new(body, DISCARD_BYTES);
    let rest = async { while let Some(Ok(_)) = body.frame().await {} };
    // Past the time, the client gets what it gets.
    let _ = tokio::time::timeout(DISCARD_TIME, rest).await;
}
