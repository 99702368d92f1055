//! Everything that a Meridian service and its clients have in common on the wire.
//!
//! A server puts [`server_layer`] around its routes and writes each RPC as
//! `rpc::unary(request, |ctx, message| flows::hold_slot(&app, ctx, message))`. A client talks through a
//! [`client::Peer`]. Neither the domain nor the flows see tonic.
//!
//! | module | holds |
//! |---|---|
//! | [`layer`] | the one tower layer of a server: trace, span, metrics, token, access rule, deadline |
//! | [`ctx`] | what an RPC knows about its call, and [`unary`] around every handler |
//! | [`caller`] | who calls, and the check of whose data it is |
//! | [`access`] | the access rules by method, and the check that no RPC lacks one |
//! | [`token`] | access tokens: claims, signing, verifying |
//! | [`keys`], [`jwks`] | where the keys come from that tokens are checked with |
//! | [`service_token`] | the short-lived tokens that services show each other |
//! | [`client`] | channels to peers and what is added to each call |
//! | [`status`](mod@status), [`peer_error`] | `kernel::Error` → gRPC status and back |
//! | [`paging`], [`convert`] | page tokens; wire types ↔ domain types |
//! | [`trace`] | W3C trace context in and out of headers |
//!
//! Invariants: an RPC without an access rule is never served; a token that is sent is checked, on public RPCs too; a
//! member learns the same of a stranger's thing as of one that does not exist.

pub mod access;
pub mod caller;
pub mod client;
pub mod convert;
pub mod ctx;
mod deadline;
pub mod jwks;
pub mod keys;
pub mod layer;
mod metrics;
pub mod paging;
pub mod peer_error;
pub mod service_token;
pub mod status;
pub mod token;
pub mod trace;
mod watch;

pub use access::check_rules;
pub use caller::{Caller, CallerKind};
pub use ctx::{Ctx, unary, validate_as};
pub use jwks::JwksKeySource;
pub use keys::{KeySource, StaticKeys, TrustedKey};
pub use layer::{ServerLayer, ServerLayerConfig, server_layer};
pub use peer_error::from_status;
pub use status::status;

/// The metadata key of the id under which one request is found in every log.
pub const REQUEST_ID_HEADER: &str = "x-request-id";
