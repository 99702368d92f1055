//! Runs what was generated: every validation rule, real requests, and the access table.
#![expect(clippy::unwrap_used, reason = "what goes wrong in a helper fails the test that called it")]

mod access;
mod descriptor;
mod every_rule;
mod requests;

/// The messages of `codegen/tests/fixture`, with one field for every rule.
#[allow(missing_docs, clippy::all, clippy::allow_attributes_without_reason, reason = "generated")]
mod fixture {
    include!("gen/mod.rs");
}

#[allow(unused_imports, clippy::all, reason = "generated")]
mod rules {
    use proto::validate::Place::{Field, Item};
    use proto::validate::{Bytes, Count, Instant, Integer, Number, Pattern, Report, Span, Text, Validate};

    include!("gen/validate.rs");
}
