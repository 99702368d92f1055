//! HTTP/JSON ↔ gRPC by the routes and descriptors.
//!
//! | module | holds |
//! |---|---|
//! | [`request`] | path, query and body → the request message |
//! | [`query`], [`text`] | query parameters; texts → field values |
//! | [`json`] | JSON → message, with errors that name field and place |
//! | [`call`] | the call to the backend: raw bytes, metadata, deadline |
//! | [`response`], [`stream`] | the reply message → JSON or raw body; streams → NDJSON |

pub mod call;
pub mod json;
pub mod query;
pub mod request;
pub mod response;
pub mod stream;
pub mod text;

use prost_reflect::MessageDescriptor;

/// Whether the message stands for a raw HTTP body.
fn is_http_body(message: &MessageDescriptor) -> bool {
    message.full_name() == "google.api.HttpBody"
}
