//! The service's own signing keys as a source for verifying tokens, so that it need not call itself.

use std::fmt;

use async_trait::async_trait;
use kernel::{Result, SharedClock};
use pg::Pg;
use rpc::{KeySource, StaticKeys, TrustedKey, token::Issuer};

use crate::db;

/// The keys of the database beside the fixed ones of the services.
pub struct OwnKeys {
    pg: Pg,
    clock: SharedClock,
    fixed: StaticKeys,
}

impl OwnKeys {
    /// `fixed` are the keys of the services.
    pub fn new(pg: Pg, clock: SharedClock, fixed: StaticKeys) -> Self {
        Self { pg, clock, fixed }
    }
}

#[async_trait]
impl KeySource for OwnKeys {
    async fn key(&self, kid: &str) -> Result<Option<TrustedKey>> {
        if let Some(key) = self.fixed.get(kid) {
            return Ok(Some(key));
        }
        let mut conn = self.pg.conn().await?;
        let key = db::signing_key::find(&mut conn, kid, self.clock.now()).await?;
        Ok(key.map(|key| TrustedKey { issuer: Issuer::Membership, key }))
    }
}

impl fmt::Debug for OwnKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnKeys").finish_non_exhaustive()
    }
}
