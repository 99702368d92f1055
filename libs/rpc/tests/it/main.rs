//! The layer, tokens, errors and clients, over real connections in one process.

#![expect(clippy::expect_used, reason = "a test that can't be set up has failed")]

mod access;
mod calls;
mod clients;
mod deadlines;
mod errors;
mod jwks;
mod observed;
mod streams;
mod tokens;
mod world;
