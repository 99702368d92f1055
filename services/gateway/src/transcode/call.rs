//! The call to a backend: message bytes as they are, and what goes along with them.

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{ACCEPT_LANGUAGE, AUTHORIZATION},
};
use rpc::REQUEST_ID_HEADER;
use tonic::{
    Request, Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    metadata::MetadataMap,
    transport::Channel,
};

use crate::{errors::Failure, routes::Binding};

/// The header that says how long a call may take, in gRPC's notation.
pub const GRPC_TIMEOUT: &str = "grpc-timeout";

/// The largest reply message that is taken, in bytes.
const MAX_REPLY_BYTES: usize = 16 * 1024 * 1024;

/// Passes message bytes through without a copy.
#[derive(Debug, Clone, Copy, Default)]
pub struct RawCodec;

impl Codec for RawCodec {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for RawCodec {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for RawCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

/// Calls an RPC that answers once.
pub async fn unary(channel: Channel, binding: &Binding, headers: HeaderMap, message: Bytes) -> Result<Bytes, Failure> {
    let mut client = ready(channel, binding).await?;
    let reply = client.unary(request(headers, message), binding.grpc_path.clone(), RawCodec).await;
    reply.map(tonic::Response::into_inner).map_err(|status| Failure::from_backend(status, &binding.package))
}

/// Calls an RPC that answers with a stream.
pub async fn server_streaming(
    channel: Channel,
    binding: &Binding,
    headers: HeaderMap,
    message: Bytes,
) -> Result<tonic::Streaming<Bytes>, Failure> {
    let mut client = ready(channel, binding).await?;
    let replies = client.server_streaming(request(headers, message), binding.grpc_path.clone(), RawCodec).await;
    replies.map(tonic::Response::into_inner).map_err(|status| Failure::from_backend(status, &binding.package))
}

async fn ready(channel: Channel, binding: &Binding) -> Result<tonic::client::Grpc<Channel>, Failure> {
    let mut client = tonic::client::Grpc::new(channel).max_decoding_message_size(MAX_REPLY_BYTES);
    client.ready().await.map_err(|error| Failure::from_backend(Status::from_error(error.into()), &binding.package))?;
    Ok(client)
}

fn request(headers: HeaderMap, message: Bytes) -> Request<Bytes> {
    Request::from_parts(MetadataMap::from_headers(headers), tonic::Extensions::default(), message)
}

/// What is sent along: who calls, the request id, the language, the trace and the time allowed. A raw body also takes
/// with it the headers in which providers put their signatures.
pub fn metadata(incoming: &HeaderMap, timeout: Option<Duration>, raw: bool) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(8);
    // Without telemetry of its own the gateway still hands the caller's trace on.
    let trace = ["traceparent", "tracestate"].map(HeaderName::from_static);
    for name in [AUTHORIZATION, ACCEPT_LANGUAGE, HeaderName::from_static(REQUEST_ID_HEADER)].into_iter().chain(trace) {
        if let Some(value) = incoming.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    if raw {
        for (name, value) in incoming.iter().filter(|(name, _)| is_provider_header(name)) {
            headers.append(name, value.clone());
        }
    }
    headers.extend(timeout.and_then(timeout_header));
    rpc::trace::inject_headers(&mut headers);
    headers
}

fn is_provider_header(name: &HeaderName) -> bool {
    let name = name.as_str();
    let signed = ["-signature", "-timestamp", "-nonce"].iter().any(|suffix| name.ends_with(suffix));
    let wanted = signed || name.starts_with("x-") || name.starts_with("wechatpay-");
    // `-bin` metadata must be base64, and the request id is there already.
    wanted && !name.ends_with("-bin") && name != REQUEST_ID_HEADER
}

/// The time that a caller allows, from `grpc-timeout`.
pub fn wanted_timeout(headers: &HeaderMap) -> Result<Option<Duration>, Failure> {
    let Some(value) = headers.get(GRPC_TIMEOUT) else { return Ok(None) };
    let parsed = value.to_str().ok().and_then(parse_timeout);
    parsed
        .map(Some)
        .ok_or_else(|| Failure::invalid(GRPC_TIMEOUT, "must be up to 8 digits and a unit of H, M, S, m, u, n"))
}

fn parse_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(amount * 3_600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

/// `timeout` as a header.
pub fn timeout_header(timeout: Duration) -> Option<(HeaderName, HeaderValue)> {
    let value = HeaderValue::try_from(format_timeout(timeout)).ok()?;
    Some((HeaderName::from_static(GRPC_TIMEOUT), value))
}

/// gRPC allows 8 digits: milliseconds up to a day, then seconds.
fn format_timeout(timeout: Duration) -> String {
    match timeout.as_millis() {
        millis @ 0..=99_999_999 => format!("{millis}m"),
        _ => format!("{}S", timeout.as_secs().min(99_999_999)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_read_and_write() {
        assert_eq!(parse_timeout("250m"), Some(Duration::from_millis(250)));
        assert_eq!(parse_timeout("2S"), Some(Duration::from_secs(2)));
        for bad in ["", "m", "12", "1.5S", "123456789m", "-1S", "5x", "5µ"] {
            assert_eq!(parse_timeout(bad), None, "{bad}");
        }
        assert_eq!(format_timeout(Duration::from_millis(250)), "250m");
        assert_eq!(format_timeout(Duration::from_secs(200_000)), "200000S");
    }

    #[test]
    fn without_telemetry_the_callers_trace_is_handed_on() {
        let parent = HeaderValue::from_static("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        let incoming = HeaderMap::from_iter([(HeaderName::from_static("traceparent"), parent.clone())]);
        assert_eq!(metadata(&incoming, None, false).get("traceparent"), Some(&parent));
    }

    #[test]
    fn only_headers_of_providers_go_with_a_raw_body() {
        for (name, expected) in [
            ("x-sandbox-event", true),
            ("meridian-signature", true),
            ("wechatpay-serial", true),
            ("stripe-timestamp", true),
            ("cookie", false),
            ("x-request-id", false),
            ("x-data-bin", false),
        ] {
            assert_eq!(is_provider_header(&HeaderName::from_static(name)), expected, "{name}");
        }
    }
}
