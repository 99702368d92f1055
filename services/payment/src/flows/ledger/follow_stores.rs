//! What booking tells of stores: their time zones, by which the books of their days are closed.

use std::sync::Arc;

use feed::{Consumer, Event};
use kernel::{Result, ids::StoreId};
use pg::Tx;
use proto::booking::v1::StoreChanged;

use crate::{App, db};

/// Reads booking's feed.
#[derive(Debug)]
pub struct FollowStores(pub Arc<App>);

impl Consumer for FollowStores {
    const NAME: &'static str = "payment";

    async fn apply(&self, tx: &mut Tx, event: &Event) -> Result<()> {
        let Some(changed) = event.decode::<StoreChanged>()? else { return Ok(()) };
        let store = StoreId::parse_name("store", &changed.store)?;
        db::stores::note_zone(tx, store, &changed.time_zone, event.aggregate_version).await?;
        kernel::crash::point("payment.store.noted");
        Ok(())
    }
}
