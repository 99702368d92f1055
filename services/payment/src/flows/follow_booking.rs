//! What booking tells: the time zones of stores, by which the books of their days are closed, and visits that are completed,
//! by which therapists and partners earn.

use std::sync::Arc;

use feed::{Consumer, Event};
use kernel::{Result, ids::StoreId};
use pg::Tx;
use proto::booking::v1::StoreChanged;

use super::commission::accrue::accrue;
use crate::{App, db};

/// Reads booking's feed.
#[derive(Debug)]
pub struct FollowBooking(pub Arc<App>);

impl Consumer for FollowBooking {
    const NAME: &'static str = "payment";

    async fn apply(&self, tx: &mut Tx, event: &Event) -> Result<()> {
        note_store(tx, event).await?;
        accrue(&self.0, tx, event).await
    }
}

async fn note_store(tx: &mut Tx, event: &Event) -> Result<()> {
    let Some(changed) = event.decode::<StoreChanged>()? else { return Ok(()) };
    let store = StoreId::parse_name("store", &changed.store)?;
    db::stores::note_zone(tx, store, &changed.time_zone, event.aggregate_version).await?;
    kernel::crash::point("payment.store.noted");
    Ok(())
}
