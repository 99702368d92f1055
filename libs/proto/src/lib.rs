//! The wire: messages, clients and servers of every service, what a request must look like, and who may call what.
//!
//! Everything below [`booking`], [`membership`], [`payment`], [`marketing`], [`analytics`], [`feed`] and [`google`] is
//! made from `proto/` by `make proto` and committed; `make proto-check` fails when it has drifted. To change it, change
//! the proto.
//!
//! * A request is checked with [`Validate::validate`], from the `buf.validate` rules beside its fields.
//! * [`access::rule`] tells who may call an RPC, from its option `(meridian.access.v1.rule)`.
//! * [`DESCRIPTOR_SET`] describes all of it to reflection and to the gateway.
//!
//! Messages only carry what was sent. A service turns them into types of its domain at its edge, in `rpc/convert.rs`.

pub mod access;
pub mod validate;

#[allow(
    missing_docs,
    unused_qualifications,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated; the documentation of a message is the comment in its proto"
)]
mod generated {
    include!("gen/mod.rs");
}

#[allow(unused_imports, clippy::all, reason = "generated; not every kind of rule is in use")]
mod rules {
    use crate::validate::Place::{Field, Item};
    use crate::validate::{Bytes, Count, Instant, Integer, Number, Pattern, Report, Span, Text, Validate};

    include!("gen/validate.rs");
}

pub use generated::google;
pub use generated::meridian::*;
pub use validate::{Validate, Violation};

/// An encoded `google.protobuf.FileDescriptorSet`: every proto of the suite with options and comments, what it imports,
/// and the messages that a status carries as details.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!("gen/descriptor.bin");
