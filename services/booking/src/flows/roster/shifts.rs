//! Putting shifts in the place of others: what every edit of shifts comes down to.

use jiff::{ToSpan, civil::Date, tz::TimeZone};
use kernel::{
    Error, Result, Timestamp,
    ids::{ShiftId, StoreId, TherapistId},
};
use pg::Tx;

use super::{events, settle::settle};
use crate::{
    App, db,
    domain::{
        hours,
        roster::{
            Dates,
            making::{self, Wanted},
            shift::Shift,
        },
        span::{Span, instant},
    },
    flows::stranded::stranded,
};

/// Whose shifts are edited, in a transaction that owns the roster of his store.
#[derive(Debug, Clone)]
pub struct Scope {
    /// Who works.
    pub therapist: TherapistId,
    /// Where.
    pub store: StoreId,
    /// The zone of the store.
    pub zone: TimeZone,
    /// The time of the edit.
    pub now: Timestamp,
}

impl Scope {
    /// Of a therapist.
    pub async fn of(tx: &mut Tx, store: StoreId, therapist: TherapistId, now: Timestamp) -> Result<Self> {
        let id = store;
        let store = db::catalog::get_store(tx, store).await?.ok_or_else(|| Error::not_found(id))?;
        Ok(Self { therapist, store: id, zone: hours::time_zone("store.time_zone", &store.time_zone)?, now })
    }

    /// The date at the store at which `at` lies.
    pub fn date(&self, at: Timestamp) -> Date {
        at.to_zoned(self.zone.clone()).date()
    }

    /// The date at the store.
    pub fn today(&self) -> Date {
        self.date(self.now)
    }
}

/// The last date whose shifts are made ahead: that of the latest start that can be booked, wherever the store is.
pub fn horizon(app: &App, now: Timestamp) -> Date {
    let last = (now + app.policy.bookable()).to_zoned(TimeZone::UTC).date();
    last.checked_add(1.day()).unwrap_or(last)
}

/// Takes the shifts of `present` away that are not wanted, and stores those of `wanted` that are not present; tells of
/// each.
///
/// Errors: FAILED_PRECONDITION/SHIFT_OVERLAPS, FAILED_PRECONDITION/STRANDS_BOOKINGS.
pub async fn replace(tx: &mut Tx, scope: &Scope, present: Vec<Shift>, wanted: Vec<Wanted>) -> Result<Vec<Shift>> {
    let before = db::shift::on_duty(tx, scope.therapist, scope.now).await?;
    let same = |shift: &Shift, one: &Wanted| {
        (shift.date, shift.span(), &shift.breaks, shift.pattern) == (one.date, one.span, &one.breaks, one.pattern)
    };
    let (mut kept, gone): (Vec<Shift>, Vec<Shift>) =
        present.into_iter().partition(|shift| wanted.iter().any(|one| same(shift, one)));
    let new: Vec<Shift> = wanted
        .iter()
        .filter(|one| !kept.iter().any(|shift| same(shift, one)))
        .map(|one| Shift {
            id: ShiftId::new(scope.now),
            therapist: scope.therapist,
            store: scope.store,
            start_time: instant(one.span.start),
            end_time: instant(one.span.end),
            date: one.date,
            pattern: one.pattern,
            breaks: one.breaks.clone(),
            version: 1,
        })
        .collect();
    if gone.is_empty() && new.is_empty() {
        return Ok(kept);
    }
    let ids: Vec<_> = gone.iter().map(|shift| shift.id.uuid()).collect();
    db::shift::delete(tx, &ids).await?;
    for shift in &gone {
        events::shift_changed(tx, Some(shift), None, scope.now).await?;
    }
    for shift in &new {
        overlapping(db::shift::insert(tx, shift, scope.now).await)?;
        events::shift_changed(tx, None, Some(shift), scope.now).await?;
    }
    check(tx, scope, &before, gone.iter().chain(&new)).await?;
    kept.extend(new);
    kept.sort_by_key(|shift| shift.start_time);
    Ok(kept)
}

/// Lays the breaks around the shifts that were changed anew, and refuses the edit if a live booking that was covered
/// before is not any more.
pub async fn check(tx: &mut Tx, scope: &Scope, before: &[Span], changed: impl Iterator<Item = &Shift>) -> Result<()> {
    let therapist = scope.therapist.uuid();
    // What is still served comes first: whoever has lost his shift altogether is not also told of its breaks.
    let after = db::shift::on_duty(tx, scope.therapist, scope.now).await?;
    let covered = |list: &[Span], span: Span| list.iter().any(|duty| duty.contains(span));
    stranded(tx, &[therapist], scope.now, |live| covered(&after, live.span) || !covered(before, live.span)).await?;
    let hull = changed.map(Shift::span).reduce(|a, b| Span::new(a.start.min(b.start), a.end.max(b.end)));
    match hull {
        Some(hull) => settle(tx, therapist, hull, scope.now).await,
        None => Ok(()),
    }
}

/// Tells an overlap of shifts from other failures.
pub fn overlapping(stored: pg::Result<()>) -> Result<()> {
    match stored {
        Err(error) if error.is_constraint("shift_overlap") => {
            Err(Error::precondition("SHIFT_OVERLAPS", "the therapist has a shift in that time; change that one"))
        }
        stored => Ok(stored?),
    }
}

/// Makes the shifts that the patterns of a therapist mean on `dates`, and takes away what else is there of patterns.
/// Dates with an exception, shifts that are over, and dates before today stay as they are. Doing it again changes
/// nothing.
///
/// Errors: FAILED_PRECONDITION/STRANDS_BOOKINGS.
pub async fn make(tx: &mut Tx, scope: &Scope, dates: Dates) -> Result<()> {
    let dates = Dates { first: dates.first.max(scope.today()), ..dates };
    let patterns = db::shift_pattern::of_therapist(tx, scope.therapist, dates).await?;
    let calendars = db::working_calendar::followed(tx, &patterns, dates).await?;
    let exceptions = db::shift::excepted(tx, scope.therapist, dates).await?;
    // A shift of the day before may reach into the first date, and one of the last into the day after.
    let around = db::shift::of_therapist(tx, scope.therapist, dates.with_neighbours()).await?;
    let (ours, fixed): (Vec<Shift>, Vec<Shift>) = around.into_iter().partition(|shift| {
        dates.contains(shift.date) && !exceptions.contains(&shift.date) && shift.end_time > scope.now
    });
    let taken = fixed.iter().map(Shift::span).collect();
    let mut wanted = making::make(&patterns, &calendars, &scope.zone, dates, &exceptions, taken);
    wanted.retain(|one| instant(one.span.end) > scope.now);
    replace(tx, scope, ours, wanted).await?;
    db::shift_pattern::made(tx, scope.therapist, dates.last).await?;
    Ok(())
}
