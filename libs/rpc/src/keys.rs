//! Where the keys come from that tokens are checked with.

use std::collections::HashMap;

use async_trait::async_trait;
use kernel::Result;

use crate::token::{Issuer, PublicKey};

/// A key and the issuer that it speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrustedKey {
    /// Whose tokens it may sign.
    pub issuer: Issuer,
    /// The public half.
    pub key: PublicKey,
}

/// Finds keys by the id that tokens name them by.
#[async_trait]
pub trait KeySource: Send + Sync + 'static {
    /// The key named `kid`; `None` when there is none. An error means that it can't be known now.
    async fn key(&self, kid: &str) -> Result<Option<TrustedKey>>;
}

/// Keys that never change: the service key of a deployment, and tests.
#[derive(Debug, Clone, Default)]
pub struct StaticKeys(HashMap<String, TrustedKey>);

impl StaticKeys {
    /// No keys: every token is refused.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key of the membership service under `kid`.
    #[must_use]
    pub fn with_membership_key(mut self, kid: impl Into<String>, key: PublicKey) -> Self {
        self.0.insert(kid.into(), TrustedKey { issuer: Issuer::Membership, key });
        self
    }

    /// Adds a key of the services, under its own id.
    #[must_use]
    pub fn with_service_key(mut self, key: PublicKey) -> Self {
        self.0.insert(key.kid(), TrustedKey { issuer: Issuer::Services, key });
        self
    }

    /// The key named `kid`.
    pub fn get(&self, kid: &str) -> Option<TrustedKey> {
        self.0.get(kid).copied()
    }
}

#[async_trait]
impl KeySource for StaticKeys {
    async fn key(&self, kid: &str) -> Result<Option<TrustedKey>> {
        Ok(self.get(kid))
    }
}
