//! What a therapist works on one date, whatever his pattern says.

use jiff::civil::Date;
use kernel::{Error, ErrorKind, Result, ids::TherapistId};
use proto::booking::v1 as pb;
use rpc::Caller;

use super::{
    shifts::{Scope, make, replace},
    therapist,
};
use crate::{
    App, db,
    domain::roster::{
        Dates,
        making::shift_on,
        pattern::{Hours, check_day},
        shift::Shift,
    },
    flows::{
        Once,
        edit::{Frame, Started},
    },
    rpc::convert::roster::to_exception,
};

/// Sets what he works on a date.
pub async fn set(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::SetShiftExceptionRequest>,
    of: TherapistId,
    date: Date,
    hours: Vec<Hours>,
    note: &str,
) -> Result<pb::ShiftException> {
    check_day("shifts", &hours)?;
    let (mut edit, scope) = match begin(app, caller, &once, of, date).await? {
        Begun::Before(reply) => return Ok(reply),
        Begun::Now(edit, scope) => (*edit, scope),
    };
    let present = db::shift::of_therapist(&mut edit.tx, of, Dates::one(date)).await?;
    let wanted = hours.iter().filter_map(|hours| shift_on(date, hours, &scope.zone, None)).collect();
    let shifts = replace(&mut edit.tx, &scope, present, wanted).await?;
    db::shift::except(&mut edit.tx, of, date, Some(note), edit.now).await?;
    let exceptions = db::shift::exceptions(&mut edit.tx, of, Dates::one(date)).await?;
    let exception = exceptions.first().ok_or_else(|| Error::internal("an exception was not stored"))?;
    let reply = to_exception(of, exception, &shifts.iter().collect::<Vec<_>>());
    edit.finish_with(caller, "shift_exception.set", of.name(), serde_json::json!({"date": date.to_string()}), reply)
        .await
}

/// Gives a date back to the pattern.
pub async fn clear(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::ClearShiftExceptionRequest>,
    of: TherapistId,
    date: Date,
) -> Result<()> {
    let (mut edit, scope) = match begin(app, caller, &once, of, date).await? {
        Begun::Before(reply) => return Ok(reply),
        Begun::Now(edit, scope) => (*edit, scope),
    };
    if !db::shift::unexcept(&mut edit.tx, of, date).await? {
        return Err(Error::new(ErrorKind::NotFound, "NOT_FOUND", "the date has no exception"));
    }
    make(&mut edit.tx, &scope, Dates::one(date)).await?;
    edit.finish_with(caller, "shift_exception.clear", of.name(), serde_json::json!({"date": date.to_string()}), ())
        .await
}

/// An exception with the shifts of its date.
#[derive(Debug)]
pub struct Listed {
    /// The exception.
    pub exception: db::shift::Exception,
    /// The shifts.
    pub shifts: Vec<Shift>,
}

/// Lists the exceptions of a therapist, by date.
pub async fn list(app: &App, caller: &Caller, of: TherapistId, dates: Dates) -> Result<Vec<Listed>> {
    therapist(app, caller, of).await?;
    let mut conn = app.pg.conn().await?;
    let exceptions = db::shift::exceptions(&mut conn, of, dates).await?;
    let shifts = db::shift::of_therapist(&mut conn, of, dates).await?;
    let on = |date| shifts.iter().filter(|shift| shift.date == date).cloned().collect();
    Ok(exceptions.into_iter().map(|exception| Listed { shifts: on(exception.date), exception }).collect())
}

enum Begun<R> {
    Before(R),
    Now(Box<Frame>, Scope),
}

async fn begin<Q: prost::Message, R: prost::Message + Default>(
    app: &App,
    caller: &Caller,
    once: &Once<'_, Q>,
    of: TherapistId,
    date: Date,
) -> Result<Begun<R>> {
    let therapist = therapist(app, caller, of).await?;
    let mut edit = match Frame::begin(app, once).await? {
        Started::Before(reply) => return Ok(Begun::Before(reply)),
        Started::Now(edit) => edit,
    };
    db::roster::own(&mut edit.tx, therapist.store).await?;
    let scope = Scope::of(&mut edit.tx, therapist.store, of, edit.now).await?;
    if date < scope.today() {
        return Err(Error::invalid("date", "is past; what was worked stays on record"));
    }
    Ok(Begun::Now(edit, scope))
}
