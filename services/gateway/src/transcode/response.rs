//! The encoded reply message of an RPC → an HTTP body.

use bytes::Bytes;
use http::HeaderValue;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage, SerializeOptions, Value};
use tonic::Code;

use super::is_http_body;
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
        Some(field) => matches!(field.kind(), Kind::Message(inner) if is_http_body(&inner)),
    }
}

/// Turns a reply into the HTTP body.
pub fn encode(binding: &Binding, reply: Bytes) -> Result<Body, Failure> {
    let size = reply.len();
    let message =
        DynamicMessage::decode(binding.method.output(), reply).map_err(|error| unreadable(binding, &error))?;
    match &binding.response_body {
        None if is_http_body(&binding.method.output()) => Ok(raw(&message)),
        None => json(&message, size).map_err(|error| unreadable(binding, &error)),
        Some(field) => part(message, field).map_err(|error| unreadable(binding, &error)),
    }
}

fn json(message: &DynamicMessage, size: usize) -> Result<Body, serde_json::Error> {
    let mut buffer = Vec::with_capacity(size * JSON_GROWTH + 64);
    message.serialize_with_options(&mut serde_json::Serializer::new(&mut buffer), &SerializeOptions::new())?;
    Ok(Body { content_type: HeaderValue::from_static("application/json"), bytes: buffer.into() })
}

/// One field of the reply. It is written even when it has its default value: the HTTP body can't be left out.
fn part(mut message: DynamicMessage, field: &FieldDescriptor) -> Result<Body, serde_json::Error> {
    if let (Kind::Message(inner), false, false) = (field.kind(), field.is_list(), field.is_map()) {
        let taken = match message.take_field(field) {
            Some(Value::Message(taken)) => taken,
            _ => DynamicMessage::new(inner),
        };
        return if is_http_body(&taken.descriptor()) { Ok(raw(&taken)) } else { json(&taken, 256) };
    }
    let options = SerializeOptions::new().skip_default_fields(false);
    let whole = message.serialize_with_options(serde_json::value::Serializer, &options)?;
    let value = whole.get(field.json_name()).unwrap_or(&serde_json::Value::Null);
    let bytes = serde_json::to_vec(value)?.into();
    Ok(Body { content_type: HeaderValue::from_static("application/json"), bytes })
}

/// A `google.api.HttpBody`: content_type = 1, data = 2.
fn raw(message: &DynamicMessage) -> Body {
    let content_type = message
        .get_field_by_number(1)
        .and_then(|value| value.as_str().and_then(|text| HeaderValue::from_str(text).ok()))
        .filter(|value| !value.is_empty())
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let bytes = message.get_field_by_number(2).and_then(|value| value.as_bytes().cloned()).unwrap_or_default();
    Body { content_type, bytes }
}

fn unreadable(binding: &Binding, error: &dyn std::fmt::Display) -> Failure {
    tracing::error!(rpc = binding.method.full_name(), %error, "a reply can't be written as json");
    Failure::new(Code::Internal, "INTERNAL", "internal error")
}
