//! Ends points that were outlived.

use kernel::{
    Result,
    ids::{MemberId, uuid_v7},
};
use proto::membership::v1 as pb;

use super::publish::publish;
use crate::{
    App, db,
    domain::points::{Entry, EntryKind},
};

/// The points of how many members one step ends.
pub const BATCH: usize = 100;

/// Ends what was outlived; returns of how many members.
pub async fn expire_points(app: &App) -> Result<usize> {
    let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let due = db::points::due_to_expire(&mut *app.pg.conn().await?, app.clock.now(), limit).await?;
    for id in &due {
        expire_one(app, *id).await?;
    }
    Ok(due.len())
}

async fn expire_one(app: &App, id: MemberId) -> Result<()> {
    let mut tx = app.pg.begin().await?;
    let now = app.clock.now();
    let Some(mut member) = db::member::lock(&mut tx, id).await? else { return Ok(()) };
    let expired = db::points::expire(&mut tx, id, now).await?;
    let points: i64 = expired.iter().map(|(.., points)| points).sum();
    // Another replica may have been quicker.
    if points == 0 {
        return Ok(());
    }
    for (lot, order, points) in expired {
        let entry = Entry {
            id: uuid_v7(now),
            member: id,
            lot,
            order,
            kind: EntryKind::Expired,
            points: -points,
            create_time: now,
            expire_time: None,
        };
        db::points::insert_entry(&mut tx, &entry).await?;
    }
    let event = pb::PointsExpired { member: id.name(), points };
    publish(&mut tx, &mut member, &event, now).await?;
    db::member::save(&mut tx, &member).await?;
    tx.commit().await?;
    Ok(())
}
