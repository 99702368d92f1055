//! The gateway over real HTTP, in front of real gRPC servers in this process.
#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod auth;
mod bad_input;
mod booking;
mod echo;
mod faults;
mod grpc;
mod harness;
mod openapi;
mod pages;
mod raw_bodies;
mod rest;
mod streams;
mod transcoding;
