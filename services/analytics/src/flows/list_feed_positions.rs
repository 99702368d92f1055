//! How far the figures have come.

use kernel::Result;

use crate::{App, db, domain::FeedPosition};

/// A line for each partition of each feed, those without any event included.
pub async fn list_feed_positions(app: &App) -> Result<Vec<FeedPosition>> {
    let mut conn = app.pg.conn().await?;
    Ok(db::position::list(&mut conn).await?)
}
