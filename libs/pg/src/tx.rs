//! An open transaction.

use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::Arc,
};

use sqlx::{PgConnection, Postgres, Transaction};

use crate::{Error, Result};

/// An open transaction, used as a [`PgConnection`]. Dropping it rolls it back.
pub struct Tx {
    inner: Transaction<'static, Postgres>,
    wake: Option<Arc<dyn Fn() + Send + Sync>>,
    wrote_events: bool,
    /// A request id was claimed and its reply is not stored yet.
    reply_owed: bool,
}

impl Tx {
    pub(crate) fn new(inner: Transaction<'static, Postgres>, wake: Option<Arc<dyn Fn() + Send + Sync>>) -> Self {
        Self { inner, wake, wrote_events: false, reply_owed: false }
    }

    /// Makes the changes last and wakes the readers of events that were written.
    ///
    /// Fails, changing nothing, if a request id was claimed by [`idempotency::begin`](crate::idempotency::begin) and its
    /// reply was never stored. After a connection error the outcome is unknown: the same request id will tell.
    pub async fn commit(self) -> Result<()> {
        if self.reply_owed {
            return Err(Error::inconsistent("idempotency_key", "of this transaction", "committed without a reply"));
        }
        self.inner.commit().await?;
        if self.wrote_events
            && let Some(wake) = self.wake
        {
            wake();
        }
        Ok(())
    }

    /// Undoes the changes. Dropping does the same later, when the connection is used next.
    pub async fn rollback(self) -> Result<()> {
        Ok(self.inner.rollback().await?)
    }

    pub(crate) fn events_written(&mut self) {
        self.wrote_events = true;
    }

    pub(crate) fn owe_reply(&mut self, owed: bool) {
        self.reply_owed = owed;
    }
}

impl Deref for Tx {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.inner
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.inner
    }
}

impl fmt::Debug for Tx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tx").field("wrote_events", &self.wrote_events).finish_non_exhaustive()
    }
}
