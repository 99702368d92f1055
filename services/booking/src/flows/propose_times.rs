//! Proposes times to which a visit could be moved.

use std::{cmp::Reverse, collections::HashSet};

use jiff::SignedDuration;
use kernel::{
    Error, Money, Result, Timestamp,
    ids::{BookingId, TherapistId},
};
use rpc::Caller;

use super::{
    change, present_visit, reschedule_booking, seek,
    sight::{Ask, look},
};
use crate::{
    App,
    domain::{
        availability::{self, Offer},
        span::{Minute, Span, minute, minute_after},
        visit::Visit,
    },
};

/// The widest look.
const WIDEST: SignedDuration = SignedDuration::from_hours(31 * 24);

/// How far after the present time is looked if nothing is said.
const USUAL: SignedDuration = SignedDuration::from_hours(14 * 24);

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Propose {
    /// Which visit.
    pub booking: BookingId,
    /// Starting at or after this.
    pub from: Option<Timestamp>,
    /// Starting before this.
    pub to: Option<Timestamp>,
    /// At most so many.
    pub limit: usize,
}

/// A time to which a visit could be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proposal {
    /// When the treatment would start.
    pub start: Minute,
    /// When it would end.
    pub end: Minute,
    /// Who would give it, or the first part of it.
    pub therapist: TherapistId,
    /// As now.
    pub same_therapist: bool,
    /// What the visit would cost then, after its reductions.
    pub price: Money,
}

/// The times that suit best: with the same therapist first, of these the nearest to the present time first.
pub async fn propose_times(app: &App, caller: &Caller, wanted: Propose) -> Result<Vec<Proposal>> {
    let now = app.clock.now();
    let booking = change::own(app, caller, wanted.booking).await?;
    let from = wanted.from.unwrap_or(now);
    let to = wanted.to.unwrap_or((booking.start_time + USUAL).min(from + WIDEST));
    if to <= from {
        return Err(Error::invalid("end_time", "must be later than start_time"));
    }
    if to.duration_since(from) > WIDEST {
        return Err(Error::invalid("end_time", "must be at most 31 days after start_time"));
    }
    let mut conn = app.pg.conn().await?;
    reschedule_booking::check_notice(app, &mut conn, caller, &booking, now).await?;
    let present = present_visit::read(&mut conn, &booking, &[]).await?;
    let ways = reschedule_booking::ways(&booking, &present);
    let (sight, supply, window) = loop {
        let sight = app.sights.of(app, &mut conn, booking.store).await?;
        let bookable = seek::bookable(app, &sight, !reschedule_booking::wants_notice(caller, &booking));
        let window = Span::new(minute_after(from), minute_after(to)).common(bookable);
        if window.minutes() <= 0 {
            return Ok(Vec::new());
        }
        let ask = [Ask { sight: &sight, visits: &ways }];
        let looked = look(app, &mut conn, &ask, window, &[booking.id]).await?;
        if let Some(supply) = looked.and_then(|mut supplies| supplies.pop()) {
            break (sight, supply, window);
        }
    };
    let order = availability::least_work(&supply);
    let at = minute(booking.start_time);
    let mut known = HashSet::new();
    let mut found = Vec::new();
    for (way, visit) in ways.iter().enumerate() {
        let same_therapist = way == 0;
        for offer in availability::offers(&supply, std::slice::from_ref(visit), window, &order, usize::MAX) {
            // As it is now is no change.
            if offer.start == at || !known.insert(offer.start) {
                continue;
            }
            found.push((same_therapist, visit, offer));
        }
    }
    found.sort_by_key(|(same_therapist, _, offer)| (Reverse(*same_therapist), (offer.start - at).abs(), offer.start));
    found.truncate(wanted.limit);
    let proposal = |(same_therapist, visit, offer): (bool, &Visit, Offer)| {
        let first = offer.assignment.parts(visit, offer.start).first().copied();
        let first = first.ok_or_else(|| Error::internal("an offer without a part"))?;
        let placed = (visit, &offer.assignment, offer.start);
        Ok(Proposal {
            start: offer.start,
            end: offer.start + visit.treatment.end,
            therapist: first.therapist,
            same_therapist,
            price: reschedule_booking::price_at(&sight, (&booking, &present), placed)?.price,
        })
    };
    found.into_iter().map(proposal).collect()
}
