//! Setting, changing and taking away the hours that a therapist works each week.

use jiff::civil::Date;
use kernel::{
    Error, Result, Timestamp,
    ids::{ShiftPatternId, TherapistId},
};
use pg::PgConnection;
use proto::booking::v1 as pb;
use rpc::Caller;

use super::{
    events,
    shifts::{Scope, horizon, make},
    therapist,
};
use crate::{
    App, db,
    domain::{
        catalog::check_in_use,
        etag,
        roster::{
            Dates,
            pattern::{ShiftPattern, WeeklyShift},
        },
    },
    flows::{
        Once,
        edit::{Frame, Started, answered},
    },
    rpc::convert::roster::to_pattern,
};

/// What a pattern is to be.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The first date.
    pub start_date: Date,
    /// The last date.
    pub end_date: Option<Date>,
    /// The shifts of a week.
    pub shifts: Vec<WeeklyShift>,
    /// The calendar to follow.
    pub follows_calendar: Option<String>,
}

/// Sets a pattern and makes its shifts.
pub async fn create(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::CreateShiftPatternRequest>,
    of: TherapistId,
    terms: Terms,
) -> Result<pb::ShiftPattern> {
    let therapist = therapist(app, caller, of).await?;
    check_in_use(therapist.retire_time)?;
    let mut edit = match Frame::begin(app, &once).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(edit) => *edit,
    };
    db::roster::own(&mut edit.tx, therapist.store).await?;
    let pattern = ShiftPattern {
        id: ShiftPatternId::new(edit.now),
        therapist: of,
        store: therapist.store,
        start_date: terms.start_date,
        end_date: terms.end_date,
        shifts: terms.shifts,
        follows_calendar: terms.follows_calendar,
        version: 1,
        create_time: edit.now,
    };
    check(&mut edit.tx, &pattern).await?;
    overlapping(db::shift_pattern::insert(&mut edit.tx, &pattern).await)?;
    events::pattern_changed(&mut edit.tx, None, Some(&pattern), edit.now).await?;
    make_all(app, &mut edit, &pattern).await?;
    let reply = to_pattern(&pattern);
    edit.finish(caller, "shift_pattern.create", pattern.id.name(), reply).await
}

/// Changes a pattern and its shifts. `change` is given what there is.
pub async fn update(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::UpdateShiftPatternRequest>,
    id: ShiftPatternId,
    given_etag: &str,
    change: impl FnOnce(&mut ShiftPattern) -> Result<()>,
) -> Result<pb::ShiftPattern> {
    if let Some(reply) = answered(app, caller, &once).await? {
        return Ok(reply);
    }
    let known = known(app, caller, id).await?;
    let mut edit = match Frame::begin(app, &once).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(edit) => *edit,
    };
    db::roster::own(&mut edit.tx, known.store).await?;
    let before = db::shift_pattern::get(&mut edit.tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    etag::check("shift_pattern.etag", given_etag, before.version)?;
    let mut pattern = ShiftPattern { version: before.version + 1, ..before.clone() };
    change(&mut pattern)?;
    check(&mut edit.tx, &pattern).await?;
    overlapping(db::shift_pattern::save(&mut edit.tx, &pattern).await)?;
    events::pattern_changed(&mut edit.tx, Some(&before), Some(&pattern), edit.now).await?;
    make_all(app, &mut edit, &pattern).await?;
    let reply = to_pattern(&pattern);
    edit.finish(caller, "shift_pattern.update", id.name(), reply).await
}

/// Takes a pattern away, and the shifts that are not over.
pub async fn delete(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::DeleteShiftPatternRequest>,
    id: ShiftPatternId,
    given_etag: &str,
) -> Result<()> {
    // Of a repeated request the pattern is gone already.
    if let Some(reply) = answered(app, caller, &once).await? {
        return Ok(reply);
    }
    let known = known(app, caller, id).await?;
    let mut edit = match Frame::begin(app, &once).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(edit) => *edit,
    };
    db::roster::own(&mut edit.tx, known.store).await?;
    let before = db::shift_pattern::get(&mut edit.tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    etag::check("etag", given_etag, before.version)?;
    db::shift_pattern::delete(&mut edit.tx, id).await?;
    events::pattern_changed(&mut edit.tx, Some(&before), None, edit.now).await?;
    make_all(app, &mut edit, &before).await?;
    edit.finish(caller, "shift_pattern.delete", id.name(), ()).await
}

/// Reads a pattern that the caller may see.
pub async fn known(app: &App, caller: &Caller, id: ShiftPatternId) -> Result<ShiftPattern> {
    let pattern = db::shift_pattern::get(&mut *app.pg.conn().await?, id).await?;
    let pattern = pattern.ok_or_else(|| Error::not_found(id))?;
    caller.see_own(None, Some(pattern.store))?;
    Ok(pattern)
}

async fn check(conn: &mut PgConnection, pattern: &ShiftPattern) -> Result<()> {
    pattern.check("shift_pattern")?;
    match &pattern.follows_calendar {
        Some(calendar) if !db::working_calendar::exists(conn, calendar).await? => {
            Err(Error::invalid("shift_pattern.follows_calendar", "is not a calendar of which any day is known"))
        }
        _ => Ok(()),
    }
}

async fn make_all(app: &App, edit: &mut Frame, pattern: &ShiftPattern) -> Result<()> {
    let scope = Scope::of(&mut edit.tx, pattern.store, pattern.therapist, edit.now).await?;
    make(&mut edit.tx, &scope, all(app, &scope, edit.now)).await
}

/// Every date whose shifts are made ahead.
fn all(app: &App, scope: &Scope, now: Timestamp) -> Dates {
    Dates { first: scope.today(), last: horizon(app, now) }
}

fn overlapping(stored: pg::Result<()>) -> Result<()> {
    match stored {
        Err(error) if error.is_constraint("shift_pattern_overlap") => Err(Error::precondition(
            "PATTERN_OVERLAPS",
            "the therapist has another pattern on some of these dates; give that one a last date first",
        )),
        stored => Ok(stored?),
    }
}
