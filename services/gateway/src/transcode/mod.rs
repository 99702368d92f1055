//! HTTP/JSON ↔ gRPC by the routes and descriptors.
//!
//! | module | holds |
//! |---|---|
//! | [`request`] | path, query and body → the request message |
//! | [`query`], [`text`] | query parameters; texts → field values |
//! | [`json`] | JSON → message, with errors that name field and place |
//! | [`call`] | the call to the backend: raw bytes, metadata, deadline |
//! | [`response`], [`stream`] | the reply message → JSON or raw body; streams → NDJSON |
//!
//! A `google.api.HttpBody` is no JSON: as the request or the reply of an RPC, or as the one field that is the body, its
//! `data` is the HTTP body and its `content_type` the header. Its `extensions` have no place in HTTP. Errors are JSON
//! all the same.

pub mod call;
pub mod json;
pub mod query;
pub mod request;
pub mod response;
pub mod stream;
pub mod text;

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

/// Whether the message stands for a raw HTTP body.
fn is_http_body(message: &MessageDescriptor) -> bool {
    message.full_name() == "google.api.HttpBody"
}

/// The same for a field. A list of raw bodies is not one.
fn holds_http_body(field: &FieldDescriptor) -> bool {
    !field.is_list() && matches!(field.kind(), Kind::Message(inner) if is_http_body(&inner))
}
