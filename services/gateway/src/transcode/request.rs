//! An HTTP request → the encoded request message of its RPC.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, header::CONTENT_TYPE};
use percent_encoding::percent_decode_str;
use prost::Message;
use prost_reflect::{DynamicMessage, FieldDescriptor, Value};

use super::{holds_http_body, is_http_body, json, query, text};
use crate::{
    errors::Failure,
    routes::{Binding, BodyRule, Variable},
};

/// What of an HTTP request makes up the message.
#[derive(Debug)]
pub struct Parts<'a> {
    /// The path's segments without the verb, percent-encoded.
    pub segments: &'a [&'a str],
    /// The query, percent-encoded; empty if there is none.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// Whether the body is passed on as it is.
pub fn takes_raw_body(binding: &Binding) -> bool {
    match &binding.body {
        BodyRule::None => false,
        BodyRule::Whole => is_http_body(&binding.method.input()),
        BodyRule::Field(field) => holds_http_body(field),
    }
}

/// Builds the message.
pub fn decode(binding: &Binding, parts: Parts<'_>) -> Result<Bytes, Failure> {
    let mut message = from_body(binding, parts.headers, parts.body)?;
    for variable in &binding.variables {
        bind(&mut message, variable, parts.segments)?;
    }
    if !parts.query.is_empty() {
        query::apply(&mut message, binding, parts.query)?;
    }
    Ok(message.encode_to_vec().into())
}

fn from_body(binding: &Binding, headers: &HeaderMap, body: Bytes) -> Result<DynamicMessage, Failure> {
    let input = binding.method.input();
    match &binding.body {
        BodyRule::None if body.is_empty() => Ok(DynamicMessage::new(input)),
        BodyRule::None => Err(Failure::invalid("", "this operation takes no body")),
        BodyRule::Whole if is_http_body(&input) => {
            let mut message = DynamicMessage::new(input);
            fill_raw(&mut message, headers, body);
            Ok(message)
        }
        BodyRule::Field(field) if holds_http_body(field) => {
            let mut message = DynamicMessage::new(input);
            if let Some(inner) = message.get_field_mut(field).as_message_mut() {
                fill_raw(inner, headers, body);
            }
            Ok(message)
        }
        BodyRule::Whole | BodyRule::Field(_) if body.is_empty() => Ok(DynamicMessage::new(input)),
        BodyRule::Whole => {
            require_json(headers)?;
            json::message(input, &body)
        }
        BodyRule::Field(field) => {
            require_json(headers)?;
            let mut message = DynamicMessage::new(input);
            json::field(&mut message, field, &body)?;
            Ok(message)
        }
    }
}

/// Fills a `google.api.HttpBody`: content_type = 1, data = 2.
fn fill_raw(message: &mut DynamicMessage, headers: &HeaderMap, body: Bytes) {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    message.set_field_by_number(1, Value::String(content_type.to_owned()));
    message.set_field_by_number(2, Value::Bytes(body));
}

fn require_json(headers: &HeaderMap) -> Result<(), Failure> {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") { Ok(()) } else { Err(Failure::wrong_content_type()) }
}

fn bind(message: &mut DynamicMessage, variable: &Variable, segments: &[&str]) -> Result<(), Failure> {
    let Some((field, outer)) = variable.fields.split_last() else { return Ok(()) };
    let span = variable.span;
    let end = if span.open { segments.len() } else { span.end };
    let taken = segments.get(span.start..end).unwrap_or_default();
    let encoding = || Failure::invalid(&*variable.path, "is not valid percent-encoded UTF-8 in the path");
    let value = join(taken, span.is_multi()).ok_or_else(encoding)?;
    let value =
        text::parse(&field.kind(), &value).map_err(|description| Failure::invalid(&*variable.path, description))?;
    let differs = || Failure::invalid(&*variable.path, "the body says something else than the path");
    let target = query::descend(message, outer).ok_or_else(differs)?;
    if is_other(target, field, &value) {
        return Err(differs());
    }
    target.set_field(field, value);
    Ok(())
}

fn is_other(message: &DynamicMessage, field: &FieldDescriptor, value: &Value) -> bool {
    message.has_field(field) && *message.get_field(field) != *value
}

/// The text of a variable. In one that spans segments an encoded slash stays encoded, as `http.proto` asks.
fn join<'a>(segments: &[&'a str], multi: bool) -> Option<Cow<'a, str>> {
    if let ([one], false) = (segments, multi) {
        return percent_decode_str(one).decode_utf8().ok();
    }
    let mut joined = String::new();
    for (index, segment) in segments.iter().enumerate() {
        if index > 0 {
            joined.push('/');
        }
        let escaped = segment.replace("%2F", "%252F").replace("%2f", "%252f");
        joined.push_str(&percent_decode_str(&escaped).decode_utf8().ok()?);
    }
    Some(joined.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_slash_stays_encoded_across_segments_only() {
        assert_eq!(join(&["a%2Fb%20c"], false).as_deref(), Some("a/b c"));
        assert_eq!(join(&["bookings", "a%2Fb%20c"], true).as_deref(), Some("bookings/a%2Fb c"));
        assert_eq!(join(&["%FF"], false), None);
        assert_eq!(join(&["a", "%FF"], true), None);
    }
}
