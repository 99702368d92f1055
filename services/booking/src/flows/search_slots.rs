//! Finds the times at which something of the menu can be had, at one store or at several.

use jiff::SignedDuration;
use kernel::{
    Error, Money, Result, Timestamp,
    ids::{ItemId, StoreId, TherapistId},
};
use pg::PgConnection;

use super::seek::{Seek, Sought, bookable_anywhere, supplies};
use crate::{
    App,
    domain::{
        assignment::order,
        availability::{self, GRID, Offer, Part, Supply},
        hours::{OpeningHours, openings},
        pricing::Daypart,
        span::{Minute, Span, intersect, list, minute_after, subtract},
        visit::DAY,
    },
};

/// The widest search.
const WIDEST: SignedDuration = SignedDuration::from_hours(31 * 24);

/// Minutes that a search looks at first.
pub(super) const FIRST_LOOK: Minute = 2 * 25 * 60;

/// How much one page may cost, in minutes looked at: at each store, in each way to serve it, for each guest. That is a
/// month at ten stores for one who comes alone for one treatment. Whoever finds too little for so long gets the page as
/// it is, and goes on with the next: so no search is refused for being wide, and none keeps others waiting for long.
const MOST_MINUTES: Minute = 310 * DAY;

/// What is looked for, and when.
#[derive(Debug, Clone)]
pub struct Search {
    /// Where; each once.
    pub stores: Vec<StoreId>,
    /// What.
    pub seek: Seek,
    /// Starting at or after this.
    pub from: Timestamp,
    /// Starting before this.
    pub to: Timestamp,
    /// Starting in this part of the day.
    pub daypart: Option<Daypart>,
    /// Only after this start at this store: where the page before ended.
    pub after: Option<(Minute, StoreId)>,
    /// At most so many.
    pub limit: usize,
}

/// A time that can be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Where.
    pub store: StoreId,
    /// When the first treatment starts.
    pub start: Minute,
    /// When the last one ends.
    pub end: Minute,
    /// Everybody who could give the first, by name.
    pub therapists: Vec<TherapistId>,
    /// What would be given, by whom and where, guest by guest.
    pub parts: Vec<(usize, ItemId, Part)>,
    /// What it would cost before any reduction, for everybody who comes.
    pub list_price: Money,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// Times by start and then by store.
    pub slots: Vec<Slot>,
    /// The search ended before this start, although neither window nor page was full.
    pub until: Option<Minute>,
}

/// The times that can be had.
pub async fn search_slots(app: &App, search: &Search) -> Result<Found> {
    check_window(search.from, search.to)?;
    let mut conn = app.pg.conn().await?;
    let mut sought = Vec::with_capacity(search.stores.len());
    for store in &search.stores {
        match search.seek.at(app, &mut conn, *store).await {
            Ok(of) => sought.push(of),
            // Of several stores some may charge in another currency.
            Err(error) if search.stores.len() > 1 && error.reason() == "CURRENCY_MISMATCH" => {}
            Err(error) => return Err(error),
        }
    }
    if sought.is_empty() {
        return Ok(Found::default());
    }
    // How much notice each store wants is known for certain when it has been looked at.
    let bookable = bookable_anywhere(app);
    let from = search.after.map_or(Minute::MIN, |(start, _)| start);
    let window = Span::new(minute_after(search.from).max(from), minute_after(search.to)).common(bookable);
    let mut slots: Vec<Slot> = Vec::new();
    // A page is mostly full within days, so a wide search looks at few of them first, and at more as long as it must.
    let (mut from, mut stride) = (window.start, first_look(search, sought.len()));
    let mut left_minutes = most_minutes(search, &sought);
    while from < window.end && slots.len() < search.limit {
        if left_minutes <= 0 {
            return Ok(Found { slots, until: Some(from) });
        }
        let part = Span::new(from, window.end.min(from.saturating_add(stride.min(left_minutes))));
        let supplies = supplies(app, &mut conn, &search.seek, &mut sought, part).await?;
        let left = search.limit - slots.len();
        let mut found = Vec::new();
        for (of, supply) in sought.iter().zip(&supplies) {
            found.extend(slots_at(app, &mut conn, search, of, supply, part, left).await?);
        }
        found.sort_by_key(|slot| (slot.start, slot.store));
        found.truncate(left);
        slots.append(&mut found);
        left_minutes -= part.minutes();
        (from, stride) = (part.end, stride * 4);
    }
    Ok(Found { slots, until: None })
}

/// How many minutes may be looked at for one page; at least an hour, so that every page comes farther.
fn most_minutes(search: &Search, sought: &[Sought]) -> Minute {
    let ways: usize = sought.iter().map(|of| of.visits.len().max(1)).sum();
    let cost = ways.saturating_mul(search.seek.guests.max(1));
    (MOST_MINUTES / i64::try_from(cost).unwrap_or(i64::MAX)).max(60)
}

/// Minutes to look at first: fewer can't hold a page, even if every start were free at every store.
fn first_look(search: &Search, stores: usize) -> Minute {
    let starts = search.daypart.as_ref().map_or(DAY, |part| i64::from(part.end_minute - part.start_minute)) / GRID;
    let starts = usize::try_from(starts).unwrap_or(0).max(1).saturating_mul(stores.max(1));
    let days = i64::try_from(search.limit.div_ceil(starts)).unwrap_or(i64::MAX);
    FIRST_LOOK.max(days.saturating_mul(DAY))
}

/// Refuses a search that is too wide.
pub(super) fn check_window(from: Timestamp, to: Timestamp) -> Result<()> {
    if to <= from {
        return Err(Error::invalid("end_time", "must be later than start_time"));
    }
    if to.duration_since(from) > WIDEST {
        return Err(Error::invalid("end_time", "must be at most 31 days after start_time"));
    }
    Ok(())
}

async fn slots_at(
    app: &App,
    conn: &mut PgConnection,
    search: &Search,
    of: &Sought,
    supply: &Supply,
    part: Span,
    limit: usize,
) -> Result<Vec<Slot>> {
    let store = of.sight.store.id;
    // Of the start at which the page before ended it had the stores up to one.
    let after = search.after.map_or(Minute::MIN, |(start, last)| start.saturating_add(i64::from(store <= last)));
    let bookable = search.seek.bookable(app, &of.sight);
    let window = part.common(bookable).common(Span::new(after, Minute::MAX));
    let mut windows = list(vec![window]);
    if let Some(daypart) = &search.daypart {
        windows = intersect(&windows, &list(openings(&hours(daypart), &[], &of.sight.zone, window)));
    }
    let full_days = search.seek.full_days(conn, &of.sight, window).await?;
    windows = subtract(&windows, &full_days);
    let order = order(of.sight.policy.assignment, &of.context, supply);
    let offers = availability::offers_within(supply, &of.visits, &windows, &order, limit);
    offers.iter().map(|offer| slot(of, offer)).collect()
}

/// A part of the day as the hours of a week.
fn hours(daypart: &Daypart) -> Vec<OpeningHours> {
    let days = (1..=7).filter(|day| daypart.days.is_empty() || daypart.days.contains(day));
    days.map(|day| OpeningHours { day, open_minute: daypart.start_minute, close_minute: daypart.end_minute }).collect()
}

fn slot(of: &Sought, offer: &Offer) -> Result<Slot> {
    let Sought { sight, chosen, visits, .. } = of;
    let visit = visits.get(offer.assignment.alternative);
    let visit = visit.ok_or_else(|| Error::internal("an offer of an unknown alternative"))?;
    let served = sight.served(visit, &offer.assignment, offer.start);
    let leg = |part: &Part| visit.legs.get(part.leg).map(|leg| (leg.guest, leg.item, *part));
    Ok(Slot {
        store: sight.store.id,
        start: offer.start,
        end: offer.start + visit.treatment.end,
        therapists: offer.therapists.first().cloned().unwrap_or_default(),
        parts: served.iter().filter_map(|served| leg(&served.part)).collect(),
        list_price: chosen.price(&sight.store, &sight.zone, visit, offer.start, &served)?,
    })
}
