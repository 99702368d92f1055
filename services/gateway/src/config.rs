//! The gateway's settings. Every field has a default that suits a laptop.

use std::time::Duration;

use serde::Deserialize;

/// Limits, time and who may call from a browser.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The largest request body that is taken, in bytes; a larger one is answered with 413. Default 1 MiB.
    pub max_body_bytes: usize,
    /// How long a request may take, in milliseconds; a client can ask for less with `grpc-timeout`. Default 15 s.
    /// Streams are bound by the client's wish alone.
    pub request_timeout_ms: u64,
    /// How many requests may be in work at once; one more is answered with 503. Default 2048.
    pub max_in_flight: usize,
    /// Which web pages of other origins may call.
    pub cors: Cors,
    /// The address under which clients reach the gateway, such as `https://api.example.com`, for the OpenAPI document.
    /// Empty: the address that served the document.
    pub public_url: String,
}

/// Cross-origin calls from browsers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cors {
    /// The origins that may call, such as `https://book.example.com`; `*` stands for all. Empty: none.
    pub allowed_origins: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_body_bytes: 1024 * 1024,
            request_timeout_ms: 15_000,
            max_in_flight: 2048,
            cors: Cors::default(),
            public_url: String::new(),
        }
    }
}

impl Config {
    /// How long a request may take.
    pub fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }
}
