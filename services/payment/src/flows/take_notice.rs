//! A provider tells what became of a charge or a refund.

use kernel::{Error, Result};

use super::settle::{Told, settle_in_tx, settle_refund_in_tx};
use crate::{
    App, db,
    peers::{About, Acknowledgement, Envelope, Headers},
};

/// A notice as it came over the wire.
#[derive(Debug, Clone)]
pub struct RawNotice {
    /// Who is said to have sent it.
    pub provider: String,
    /// Its headers.
    pub headers: Headers,
    /// The raw body.
    pub body: Vec<u8>,
}

/// Takes in a notice: payment, ledger and events in one transaction. The same notice again has no further effect; one
/// that doesn't fit what we know is recorded and acknowledged, so that the provider stops sending it.
///
/// # Errors
/// `NotFound` for an unknown provider; `BAD_SIGNATURE`, `STALE_NOTICE`, `SIGNATURE_PROBE`; `REPLAYED_NOTICE` if this very
/// sending was taken in before; `InvalidArgument` if it can't be read.
pub async fn take_notice(app: &App, raw: RawNotice) -> Result<Acknowledgement> {
    let provider = app.peers.providers.named(&raw.provider);
    let provider = provider.ok_or_else(|| Error::not_found(format!("payment provider {}", raw.provider)))?;
    let now = app.clock.now();
    let notice = provider
        .read_notice(&Envelope {
            headers: &raw.headers,
            body: &raw.body,
            received: now.as_second(),
            tolerance: i64::from(app.policy.notice_tolerance_seconds),
        })
        .await?;

    let name = provider.name();
    let mut tx = app.pg.begin().await?;
    if let Some(nonce) = &notice.nonce
        && !db::notices::insert_nonce(&mut tx, now, name, nonce).await?
    {
        return Err(Error::unauthenticated("REPLAYED_NOTICE", "this very message was taken in before"));
    }
    let (id, kind) = (notice.id.as_str(), notice.kind.as_str());
    match &notice.about {
        About::Charge(report) => {
            if db::notices::insert(&mut tx, now, name, id, kind, report.payment).await? {
                settle_in_tx(&mut tx, now, Told { provider: name, by: id, report }).await?;
            }
        }
        About::Refund(report) => {
            if db::notices::insert(&mut tx, now, name, id, kind, report.payment).await? {
                settle_refund_in_tx(&mut tx, now, Told { provider: name, by: id, report }).await?;
            }
        }
        About::Other => tracing::info!(provider = name, notice = id, kind, "a notice that asks for nothing"),
    }
    tx.commit().await?;
    kernel::crash::point("payment.notice.committed");
    // It may have come after the order had ended.
    app.wake_refunds();
    Ok(provider.acknowledgement())
}
