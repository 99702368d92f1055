//! Drawing all facts again: after a mistake in how they were drawn, or for a fact that is new.

use kernel::Result;

use crate::{App, db, domain::Feed};

/// The name under which the feeds are read.
pub const CONSUMER: &str = "analytics";

/// Forgets every fact and reads every feed again from its beginning. Readers at work notice by themselves; until they
/// have caught up, the figures are too low, and `ListFeedPositions` tells how far they are.
pub async fn rebuild(app: &App) -> Result<()> {
    let mut tx = app.pg.begin().await?;
    db::position::clear(&mut tx).await?;
    for feed in Feed::ALL {
        feed::rewind(&mut tx, feed.name(), CONSUMER).await?;
    }
    tx.commit().await?;
    tracing::warn!("facts cleared; the feeds are read again from their beginning");
    Ok(())
}
