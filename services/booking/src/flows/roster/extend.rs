//! Makes the shifts of the days that come within reach. The worker does it; however often, it changes nothing twice.

use jiff::ToSpan;
use kernel::Result;

use super::shifts::{Scope, horizon, make};
use crate::{App, db, db::shift_pattern::Due, domain::roster::Dates, flows::sweep::sweep_all};

/// Makes the shifts of every therapist for all days that can be booked; returns for how many there was something to do.
/// One that fails does not hold up the others ([`sweep_all`]).
pub async fn extend_rosters(app: &App) -> Result<usize> {
    let until = horizon(app, app.clock.now());
    let due = db::shift_pattern::due(&mut *app.pg.conn().await?, until).await?;
    sweep_all(due, |due| extend(app, due)).await
}

async fn extend(app: &App, due: Due) -> Result<bool> {
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    db::roster::own(&mut tx, due.store).await?;
    let scope = Scope::of(&mut tx, due.store, due.therapist, now).await?;
    let first = due.made_until.checked_add(1.day()).unwrap_or(due.made_until);
    make(&mut tx, &scope, Dates { first, last: horizon(app, now) }).await?;
    tx.commit().await?;
    Ok(true)
}
