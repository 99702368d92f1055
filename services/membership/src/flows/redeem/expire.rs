//! Frees points of which nobody has decided in time.

use kernel::{
    Result,
    ids::{MemberId, PointsRedemptionId},
};

use super::decide::free;
use crate::{App, db, domain::redemption::State};

/// How many redemptions one step ends.
pub const BATCH: usize = 100;

/// Frees what nobody has decided by its time; returns how many redemptions were taken up.
///
/// # Errors
/// The first that the database answers.
pub async fn expire_redemptions(app: &App) -> Result<usize> {
    let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let due = db::redemption::due(&mut *app.pg.conn().await?, app.clock.now(), limit).await?;
    for (id, member) in &due {
        expire(app, *id, *member).await?;
    }
    Ok(due.len())
}

async fn expire(app: &App, id: PointsRedemptionId, member: MemberId) -> Result<()> {
    let mut tx = app.pg.begin().await?;
    let Some(mut member) = db::member::lock(&mut tx, member).await? else { return Ok(()) };
    // It may be decided by now.
    if let Some(mut known) = db::redemption::get(&mut tx, id).await?.filter(|known| known.state == State::Reserved) {
        free(&mut tx, &mut member, &mut known, State::Expired, app.clock.now()).await?;
    }
    tx.commit().await?;
    Ok(())
}
