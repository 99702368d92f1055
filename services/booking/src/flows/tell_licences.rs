//! Tells that licences of stores lapse.

use kernel::Result;
use pg::outbox::{self, NewEvent};
use proto::booking::v1 as pb;

use crate::{
    App, db,
    domain::licence::{days_left, next_warning},
    rpc::convert::{to_date, to_licence_kind},
};

/// How many licences one step tells of.
pub const BATCH: usize = 100;

/// Tells of the licences whose next warning is due, once each; returns how many those were.
pub async fn tell_licences(app: &App) -> Result<usize> {
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let due = db::catalog::licences_to_tell(&mut tx, now, BATCH.try_into().unwrap_or(i64::MAX)).await?;
    for lapsing in &due {
        let (licence, version) = (&lapsing.licence, lapsing.version + 1);
        let event = pb::LicenceLapsing {
            store: lapsing.store.name(),
            store_display_name: lapsing.store_name.clone(),
            kind: to_licence_kind(licence.kind).into(),
            number: licence.number.clone(),
            expire_date: Some(to_date(licence.expire_date)),
            days_left: days_left(licence.expire_date, lapsing.today),
        };
        outbox::append(&mut tx, NewEvent::new(lapsing.id, version, now, &event)).await?;
        let next = next_warning(licence.expire_date, lapsing.today);
        db::catalog::told(&mut tx, lapsing.id, version, next).await?;
    }
    tx.commit().await?;
    Ok(due.len())
}
