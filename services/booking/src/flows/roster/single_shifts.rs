//! Entering, moving and taking away a single shift. Its date then has an exception: patterns leave it alone.

use kernel::{
    Error, Result, Timestamp,
    ids::{ShiftId, TherapistId},
};
use proto::booking::v1 as pb;
use rpc::Caller;

use super::{
    events,
    shifts::{Scope, check, overlapping, replace},
    therapist,
};
use crate::{
    App, db,
    domain::{
        catalog::check_in_use,
        etag,
        roster::{
            making::Wanted,
            shift::{Shift, check_shift},
        },
        span::{Span, intersect, minute},
    },
    flows::{
        Once,
        edit::{Frame, Started, answered},
    },
    rpc::convert::roster::to_shift,
};

/// Puts a therapist on duty at his store.
pub async fn create(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::CreateShiftRequest>,
    of: TherapistId,
    (start_time, end_time): (Timestamp, Timestamp),
) -> Result<pb::Shift> {
    check_shift(start_time, end_time)?;
    let therapist = therapist(app, caller, of).await?;
    check_in_use(therapist.retire_time)?;
    let mut edit = match Frame::begin(app, &once).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(edit) => *edit,
    };
    db::roster::own(&mut edit.tx, therapist.store).await?;
    let scope = Scope::of(&mut edit.tx, therapist.store, of, edit.now).await?;
    let date = scope.date(start_time);
    let span = Span::new(minute(start_time), minute(end_time));
    let wanted = Wanted { date, span, breaks: Vec::new(), pattern: None };
    let made = replace(&mut edit.tx, &scope, Vec::new(), vec![wanted]).await?;
    db::shift::except(&mut edit.tx, of, date, None, edit.now).await?;
    let shift = made.first().ok_or_else(|| Error::internal("a shift was not made"))?;
    let reply = to_shift(shift);
    edit.finish(caller, "shift.create", shift.id.name(), reply).await
}

/// Moves a shift; a missing time stays as it is. Breaks stay as far as they lie in it.
pub async fn update(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::UpdateShiftRequest>,
    id: ShiftId,
    given_etag: &str,
    (start_time, end_time): (Option<Timestamp>, Option<Timestamp>),
) -> Result<pb::Shift> {
    if let Some(reply) = answered(app, caller, &once).await? {
        return Ok(reply);
    }
    let known = known(app, caller, id).await?;
    let mut edit = match Frame::begin(app, &once).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(edit) => *edit,
    };
    db::roster::own(&mut edit.tx, known.store).await?;
    let before = db::shift::get(&mut edit.tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    etag::check("shift.etag", given_etag, before.version)?;
    let scope = Scope::of(&mut edit.tx, before.store, before.therapist, edit.now).await?;
    let (start_time, end_time) = (start_time.unwrap_or(before.start_time), end_time.unwrap_or(before.end_time));
    check_shift(start_time, end_time)?;
    let mut shift =
        Shift { start_time, end_time, date: scope.date(start_time), version: before.version + 1, ..before.clone() };
    shift.breaks = intersect(&before.breaks, &[shift.span()]);
    let on_duty = db::shift::on_duty(&mut edit.tx, shift.therapist, edit.now).await?;
    overlapping(db::shift::save(&mut edit.tx, &shift, edit.now).await)?;
    for date in [before.date, shift.date] {
        db::shift::except(&mut edit.tx, shift.therapist, date, None, edit.now).await?;
    }
    events::shift_changed(&mut edit.tx, Some(&before), Some(&shift), edit.now).await?;
    check(&mut edit.tx, &scope, &on_duty, [&before, &shift].into_iter()).await?;
    let reply = to_shift(&shift);
    edit.finish(caller, "shift.update", id.name(), reply).await
}

/// Takes a shift away.
pub async fn delete(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::DeleteShiftRequest>,
    id: ShiftId,
    given_etag: &str,
) -> Result<()> {
    // Of a repeated request the shift is gone already.
    if let Some(reply) = answered(app, caller, &once).await? {
        return Ok(reply);
    }
    let known = known(app, caller, id).await?;
    let mut edit = match Frame::begin(app, &once).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(edit) => *edit,
    };
    db::roster::own(&mut edit.tx, known.store).await?;
    let shift = db::shift::get(&mut edit.tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    etag::check("etag", given_etag, shift.version)?;
    let scope = Scope::of(&mut edit.tx, shift.store, shift.therapist, edit.now).await?;
    db::shift::except(&mut edit.tx, shift.therapist, shift.date, None, edit.now).await?;
    replace(&mut edit.tx, &scope, vec![shift], Vec::new()).await?;
    edit.finish(caller, "shift.delete", id.name(), ()).await
}

async fn known(app: &App, caller: &Caller, id: ShiftId) -> Result<Shift> {
    let shift = db::shift::get(&mut *app.pg.conn().await?, id).await?.ok_or_else(|| Error::not_found(id))?;
    caller.see_own(None, Some(shift.store))?;
    Ok(shift)
}
