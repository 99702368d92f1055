//! A provider tells what became of a charge.

use kernel::{Error, Result};

use super::settle::{Told, settle_in_tx};
use crate::{App, db, peers::Envelope};

/// A notice as it came over the wire.
#[derive(Debug, Clone)]
pub struct RawNotice {
    /// Who is said to have sent it.
    pub provider: String,
    /// Its signature; empty if it came without.
    pub signature: String,
    /// Its timestamp; empty if it came without.
    pub timestamp: String,
    /// Its nonce; empty if it came without.
    pub nonce: String,
    /// The raw body.
    pub body: Vec<u8>,
}

/// Takes in a notice: payment, ledger and events in one transaction. The same notice again has no further effect; one
/// that doesn't fit what we know is recorded and acknowledged, so that the provider stops sending it.
///
/// # Errors
/// `NotFound` for an unknown provider; `BAD_SIGNATURE`, `STALE_NOTICE`; `InvalidArgument` if it can't be read.
pub async fn take_notice(app: &App, raw: RawNotice) -> Result<()> {
    let provider = &app.peers.provider;
    if raw.provider != provider.name() {
        return Err(Error::not_found(format!("payment provider {}", raw.provider)));
    }
    let now = app.clock.now();
    let notice = provider.read_notice(&Envelope {
        signature: &raw.signature,
        timestamp: &raw.timestamp,
        nonce: &raw.nonce,
        body: &raw.body,
        received: now.as_second(),
        tolerance: i64::from(app.policy.notice_tolerance_seconds),
    })?;

    let mut tx = app.pg.begin().await?;
    if db::notices::insert(&mut tx, now, provider.name(), &notice).await? {
        let told = Told { provider: provider.name(), by: &notice.id, report: &notice.report };
        settle_in_tx(&mut tx, now, told).await?;
        tx.commit().await?;
        kernel::crash::point("payment.notice.committed");
        // It may have come after the order had ended.
        app.wake_refunds();
    }
    Ok(())
}
