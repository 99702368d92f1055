//! The generator: what it makes, what it refuses, and that what is committed is what it makes.
#![expect(clippy::panic, clippy::unwrap_used, reason = "what goes wrong in a helper fails the test that called it")]

mod access;
mod drift;
mod output;
mod support;
mod validation;
