//! Deletes what is of no use any more.

use jiff::SignedDuration;
use kernel::Result;

use crate::{App, db};

/// How long things are kept beyond their use, to look into complaints.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// Deletes one-time codes and failed sign-ins of the day before, and sessions that ended by themselves before that, with
/// their tokens and stored answers; returns how many rows.
pub async fn clean(app: &App) -> Result<usize> {
    let before = app.clock.now() - KEPT;
    let mut conn = app.pg.conn().await?;
    let codes = db::code::clean(&mut conn, before).await?;
    let failures = db::sign_in_failure::clean(&mut conn, before).await?;
    let sessions = db::session::clean(&mut conn, before).await?;
    Ok(codes + failures + sessions)
}
