//! Says why times can't be had.

use std::collections::HashMap;

use jiff::SignedDuration;
use kernel::{
    Error, Result, Timestamp, Uuid,
    ids::{BookingId, StoreId},
};
use pg::PgConnection;

use super::seek::{Seek, supplies};
use crate::{
    App, db,
    domain::{
        availability::{self, Cause, Explanation, GRID, Reason},
        span::{Minute, Span, intersect, is_whole_minute, list, minute, minute_after, subtract},
        visit::Visit,
    },
};

/// The longest time that is explained: a day on which clocks are set back.
const WIDEST: SignedDuration = SignedDuration::from_hours(25);

/// What is asked.
#[derive(Debug, Clone)]
pub struct Explain {
    /// Where.
    pub store: StoreId,
    /// What is looked for.
    pub seek: Seek,
    /// The start that is asked about, or the first.
    pub from: Timestamp,
    /// All starts before this; `None` for one start.
    pub to: Option<Timestamp>,
    /// Also which visits keep therapists.
    pub with_bookings: bool,
}

/// Why visits can't start in a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// From the first such start to one step of the grid after the last.
    pub span: Span,
    /// Why, each with the visits that keep the therapist.
    pub reasons: Vec<(Reason, Vec<BookingId>)>,
}

/// Why the starts asked about can't be had, by start; those that can be had are left out.
pub async fn explain_slots(app: &App, asked: &Explain) -> Result<Vec<Explained>> {
    let window = window(asked)?;
    let mut conn = app.pg.conn().await?;
    let mut sought = [asked.seek.now_at(app, &mut conn, asked.store).await?];
    let bookable = asked.seek.bookable(app, &sought[0].sight);
    let inner = window.common(bookable);
    let mut explanations = outside(minute_after(app.clock.now()), window, bookable);
    if inner.minutes() > 0 {
        let supplies = supplies(app, &mut conn, &asked.seek, &mut sought, inner).await?;
        let [of] = &sought;
        let inside = supplies.first().map(|supply| availability::explain(supply, &of.visits, inner));
        let inside = inside.unwrap_or_default();
        let full_days = asked.seek.full_days(&mut conn, &of.sight, inner).await?;
        let known = list(inside.iter().map(|explanation| explanation.span).collect());
        explanations.extend(because(&subtract(&intersect(&[inner], &full_days), &known), Cause::Quota, None));
        explanations.extend(inside);
    }
    explanations.sort_by_key(|explanation| explanation.span);
    let [of] = &sought;
    let reach = of.visits.first().map(Visit::reach).unwrap_or(Span::new(0, 0));
    let kept = if asked.with_bookings { keepers(&mut conn, &explanations, reach).await? } else { HashMap::new() };
    let explained = explanations.into_iter().map(|Explanation { span, reasons }| {
        let within = Span::new(span.start + reach.start, span.end - GRID + reach.end);
        let bookings = |reason: &Reason| {
            let of_him = reason.therapist.filter(|_| reason.cause == Cause::Busy).and_then(|who| kept.get(&who));
            let then = of_him.into_iter().flatten().filter(|(_, kept)| kept.overlaps(within));
            then.map(|(booking, _)| *booking).collect()
        };
        let reasons = reasons.into_iter().map(|reason| (reason, bookings(&reason))).collect();
        Explained { span, reasons }
    });
    Ok(explained.collect())
}

fn window(asked: &Explain) -> Result<Span> {
    let from = minute(asked.from);
    let Some(to) = asked.to else {
        if !is_whole_minute(asked.from) || from.rem_euclid(GRID) != 0 {
            let text = format!("must be a multiple of {GRID} minutes, or give end_time too");
            return Err(Error::invalid("start_time", text));
        }
        return Ok(Span::new(from, from + 1));
    };
    if to <= asked.from {
        return Err(Error::invalid("end_time", "must be later than start_time"));
    }
    if to.duration_since(asked.from) > WIDEST {
        return Err(Error::invalid("end_time", "must be at most 25 hours after start_time"));
    }
    Ok(Span::new(minute_after(asked.from), minute_after(to)))
}

/// What can't be booked at all: the past, what is too soon, what is too far ahead.
fn outside(now: Minute, window: Span, bookable: Span) -> Vec<Explanation> {
    let first = bookable.start + (-bookable.start).rem_euclid(GRID);
    let span = |from: Minute, to: Minute| [Span::new(from, to).common(window)];
    let mut all = because(&span(Minute::MIN, now), Cause::Past, Some(first));
    all.extend(because(&span(now, bookable.start), Cause::LeadTime, Some(first)));
    all.extend(because(&span(bookable.end, Minute::MAX), Cause::TooFarAhead, None));
    all
}

/// One reason for all starts of a list.
fn because(spans: &[Span], cause: Cause, until: Option<Minute>) -> Vec<Explanation> {
    let on_grid = |minute: Minute| minute + (-minute).rem_euclid(GRID);
    let aligned =
        spans.iter().filter(|span| span.minutes() > 0).map(|span| Span::new(on_grid(span.start), on_grid(span.end)));
    let reasons = vec![Reason { cause, therapist: None, until }];
    aligned.filter(|span| span.minutes() > 0).map(|span| Explanation { span, reasons: reasons.clone() }).collect()
}

/// The visits that keep the therapists who are said to be busy.
async fn keepers(
    conn: &mut PgConnection,
    explanations: &[Explanation],
    reach: Span,
) -> Result<HashMap<Uuid, Vec<(BookingId, Span)>>> {
    let reasons = explanations.iter().flat_map(|explanation| &explanation.reasons);
    let mut busy: Vec<Uuid> =
        reasons.filter(|reason| reason.cause == Cause::Busy).filter_map(|reason| reason.therapist).collect();
    busy.sort_unstable();
    busy.dedup();
    let days = explanations.iter().map(|explanation| explanation.span).reduce(Span::hull);
    let Some(days) = days.filter(|_| !busy.is_empty()) else { return Ok(HashMap::new()) };
    let within = Span::new(days.start + reach.start, days.end + reach.end);
    let mut kept: HashMap<Uuid, Vec<(BookingId, Span)>> = HashMap::new();
    for (therapist, booking, span) in db::supply::keepers(conn, &busy, within).await? {
        kept.entry(therapist).or_default().push((booking, span));
    }
    Ok(kept)
}
