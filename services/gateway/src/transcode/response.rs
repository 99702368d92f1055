//! The encoded reply message of an RPC → an HTTP body.

use bytes::Bytes;
use http::HeaderValue;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage, SerializeOptions, Value};
use tonic::Code;

use super::{holds_http_body, is_http_body};
use crate::{errors::Failure, routes::Binding};

/// A body with its content type.
#[derive(Debug)]
pub struct Body {
    /// `application/json`, or what the service said.
    pub content_type: HeaderValue,
    /// The bytes.
    pub bytes: Bytes,
}

/// How much longer than the wire form the JSON usually is.
const JSON_GROWTH: usize = 3;

/// Whether the reply is a raw body.
pub fn is_raw(binding: &Binding) -> bool {
    match &binding.response_body {
        None => is_http_body(&binding.method.output()),
        Some(field) => holds_http_body(field),
    }
}

/// Turns a reply into the HTTP body.
pub fn encode(binding: &Binding, reply: Bytes) -> Result<Body, Failure> {
    let size = reply.len();
    let failed = |error: Unwritable| {
        tracing::error!(rpc = binding.method.full_name(), %error, "a reply can't be written as an http body");
        Failure::new(Code::Internal, "INTERNAL", "internal error")
    };
    let message = DynamicMessage::decode(binding.method.output(), reply).map_err(|error| failed(error.into()))?;
    match &binding.response_body {
        None if is_http_body(&binding.method.output()) => raw(&message),
        None => json(&message, size),
        Some(field) => part(message, field),
    }
    .map_err(failed)
}

/// Why a reply can't be answered with: its service is wrong. A caller isn't told more than that.
#[derive(Debug, thiserror::Error)]
enum Unwritable {
    #[error("it is not the message that the descriptors say: {0}")]
    Message(#[from] prost::DecodeError),
    #[error("it has no JSON form: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the content type {0:?} can't be a header")]
    ContentType(String),
}

fn json(message: &DynamicMessage, size: usize) -> Result<Body, Unwritable> {
    let mut buffer = Vec::with_capacity(size * JSON_GROWTH + 64);
    message.serialize_with_options(&mut serde_json::Serializer::new(&mut buffer), &SerializeOptions::new())?;
    Ok(Body { content_type: HeaderValue::from_static("application/json"), bytes: buffer.into() })
}

/// One field of the reply. It is written even when it has its default value: the HTTP body can't be left out.
fn part(mut message: DynamicMessage, field: &FieldDescriptor) -> Result<Body, Unwritable> {
    if let (Kind::Message(inner), false, false) = (field.kind(), field.is_list(), field.is_map()) {
        let taken = match message.take_field(field) {
            Some(Value::Message(taken)) => taken,
            _ => DynamicMessage::new(inner),
        };
        return if is_http_body(&taken.descriptor()) { raw(&taken) } else { json(&taken, 256) };
    }
    let options = SerializeOptions::new().skip_default_fields(message.has_field(field));
    let whole = message.serialize_with_options(serde_json::value::Serializer, &options)?;
    let value = whole.get(field.json_name()).unwrap_or(&serde_json::Value::Null);
    let bytes = serde_json::to_vec(value)?.into();
    Ok(Body { content_type: HeaderValue::from_static("application/json"), bytes })
}

/// A `google.api.HttpBody`: content_type = 1, data = 2. A content type that isn't one line of visible ASCII is refused:
/// passed on it would be headers of somebody's choice, left out the browser would be told something else than was meant.
fn raw(message: &DynamicMessage) -> Result<Body, Unwritable> {
    let stated = message.get_field_by_number(1);
    let stated = stated.as_deref().and_then(Value::as_str).unwrap_or_default();
    let content_type = match stated.trim_matches(' ') {
        "" => HeaderValue::from_static("application/octet-stream"),
        stated => HeaderValue::from_str(stated)
            .ok()
            .filter(|value| value.to_str().is_ok())
            .ok_or_else(|| Unwritable::ContentType(stated.to_owned()))?,
    };
    let bytes = message.get_field_by_number(2).and_then(|value| value.as_bytes().cloned()).unwrap_or_default();
    Ok(Body { content_type, bytes })
}
