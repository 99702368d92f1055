//! Makes the shifts of the days that come within reach. The worker does it; however often, it changes nothing twice.

use jiff::ToSpan;
use kernel::Result;

use super::shifts::{Scope, horizon, make};
use crate::{App, db, db::shift_pattern::Due, domain::roster::Dates};

/// Makes the shifts of every therapist for all days that can be booked; returns for how many there was something to do.
/// One that fails does not hold up the others; the first error is given back when all were tried.
pub async fn extend_rosters(app: &App) -> Result<usize> {
    let until = horizon(app, app.clock.now());
    let due = db::shift_pattern::due(&mut *app.pg.conn().await?, until).await?;
    let (mut made, mut failed) = (0, None);
    for due in due {
        match extend(app, due).await {
            Ok(()) => made += 1,
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(made), Err)
}

async fn extend(app: &App, due: Due) -> Result<()> {
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    db::roster::own(&mut tx, due.store).await?;
    let scope = Scope::of(&mut tx, due.store, due.therapist, now).await?;
    let first = due.made_until.checked_add(1.day()).unwrap_or(due.made_until);
    make(&mut tx, &scope, Dates { first, last: horizon(app, now) }).await?;
    tx.commit().await?;
    Ok(())
}
