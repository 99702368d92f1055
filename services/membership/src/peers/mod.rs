//! The services that membership calls.

mod grpc;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use kernel::{Result, Uuid};

use crate::domain::phone::Phone;

pub use grpc::GrpcMessages;

/// All of them.
#[derive(Clone)]
pub struct Peers {
    /// Texts to single people.
    pub messages: Arc<dyn Messages>,
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Peers")
    }
}

/// Texts to single people. A call may fail with `Unavailable` and may be repeated with the same request id.
#[async_trait]
pub trait Messages: Send + Sync {
    /// Sends a one-time code.
    async fn send_code(&self, phone: &Phone, code: &str, request_id: Uuid) -> Result<()>;
}
