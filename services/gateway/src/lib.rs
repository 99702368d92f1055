//! The gateway: REST/JSON, gRPC-Web and gRPC on one port, in front of all services.
//!
//! It owns no data and no rules. What it offers follows from the protos: the paths from `google.api.http`, the OpenAPI
//! document from comments and validation rules, who needs a token from the access rules. A new RPC, or a new service in
//! a package that it knows, needs no change here.
//!
//! ```text
//! request → observe (id, span, metrics, limit) → dispatch ┬ application/grpc*  → proxy: bytes through to the backend
//!                                                         ├ /, /docs, /healthz … → pages
//!                                                         └ all else           → rest: routes → auth → transcode → call
//! ```
//!
//! Invariants: an error is always `google.rpc.Status` (as JSON, or as gRPC's own); nothing that a caller writes is
//! dropped in silence; services never rely on the token check here.
//!
//! | module | holds |
//! |---|---|
//! | [`app`] | the wiring |
//! | [`config`] | the settings |
//! | [`routes`] | from method and path to the RPC |
//! | [`transcode`] | HTTP/JSON (or raw bodies) ↔ messages |
//! | [`rest`], [`proxy`], [`pages`] | the three kinds of requests |
//! | [`auth`], [`body`], [`cors`], [`observe`] | what is done around them |
//! | [`errors`] | what a caller sees when something fails; the table of HTTP statuses |
//! | [`openapi`] | the OpenAPI 3.1 document |
//! | [`backends`] | the channels, and whether they are well |
//! | [`server`] | the router, and serving it |

pub mod app;
pub mod auth;
pub mod backends;
pub mod body;
pub mod config;
pub mod cors;
pub mod errors;
pub mod observe;
pub mod openapi;
pub mod pages;
pub mod proxy;
pub mod rest;
pub mod routes;
pub mod server;
pub mod transcode;

pub use app::{App, AppError, Parts, descriptors};
pub use backends::Backends;
pub use config::Config;
pub use server::{router, serve};
