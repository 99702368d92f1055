//! Finds the times at which a party can come.

use kernel::{
    Error, Money, Result, Timestamp,
    ids::{MemberId, StoreId},
};

use super::{Party, Sought};
use crate::{
    App,
    domain::{
        assignment::{Context, Liking, order},
        availability::{self, GRID, Offer, Supply},
        party::waiting_of,
        span::{Minute, Span, minute_after},
        visit::{ResourceKind, Visit},
    },
    flows::{
        assignment,
        search_slots::{FIRST_LOOK, Slot, check_window},
        seek::{READS, edited},
        sight::{Ask, look_for},
    },
};

/// How much one page may cost, in guests placed: starts × ways × guests. Whoever finds nothing for so long gets the page
/// as it is, and goes on with the next.
const MOST_PLACED: usize = 1_000_000;

/// What is looked for, and when.
#[derive(Debug, Clone)]
pub struct SearchGroup {
    /// Where.
    pub store: StoreId,
    /// Who comes.
    pub party: Party,
    /// Who asks, if that is known.
    pub customer: Option<MemberId>,
    /// Starting at or after this.
    pub from: Timestamp,
    /// Starting before this.
    pub to: Timestamp,
    /// Only after this start: where the page before ended.
    pub after: Option<Minute>,
    /// At most so many.
    pub limit: usize,
}

/// A time at which a party can come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupTime {
    /// When the first guest starts.
    pub start: Minute,
    /// When the last treatment ends.
    pub end: Minute,
    /// What each guest gets.
    pub guests: Vec<Slot>,
    /// Minutes that they wait together.
    pub waiting: i64,
    /// What it would cost before any reduction, for everybody.
    pub list_price: Money,
}

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// Times by start.
    pub times: Vec<GroupTime>,
    /// The search ended after this start, although neither window nor page was full.
    pub until: Option<Minute>,
}

/// The times that can be had, by start.
pub async fn search_group_times(app: &App, search: &SearchGroup) -> Result<Found> {
    check_window(search.from, search.to)?;
    let mut conn = app.pg.conn().await?;
    let mut sought = search.party.at(app, &mut conn, search.store).await?;
    let policy = sought.sight.policy.assignment;
    let now = app.clock.now();
    let mut context = assignment::context(&mut conn, search.store, policy, search.customer, now).await?;
    let after = search.after.map_or(Minute::MIN, |last| last.saturating_add(1));
    let window = Span::new(minute_after(search.from).max(after), minute_after(search.to))
        .common(search.party.bookable(app, &sought.sight));
    let mut times = Vec::new();
    // A page is mostly full within days, so a wide search looks at few of them first, and at more as long as it must.
    let (mut from, mut stride) = (window.start, FIRST_LOOK);
    let mut left = most_minutes(&sought);
    while from < window.end && times.len() < search.limit {
        if left <= 0 {
            return Ok(Found { times, until: Some(from - 1) });
        }
        let part = Span::new(from, window.end.min(from.saturating_add(stride.min(left))));
        let supply;
        (supply, context.liking) = self::supply(app, &mut conn, search, &mut sought, part).await?;
        let more = search.limit - times.len();
        for time in times_in(&sought, &context, &supply, part, more) {
            times.push(time?);
        }
        left -= part.minutes();
        (from, stride) = (part.end, stride * 4);
    }
    Ok(Found { times, until: None })
}

/// How many minutes may be looked at for one page.
fn most_minutes(sought: &Sought) -> Minute {
    let placed = sought.ways.len() * sought.chosen.len();
    i64::try_from(MOST_PLACED / placed.max(1)).unwrap_or(i64::MAX) * GRID
}

/// What the store could use within a window, and whom the customer likes; if what is known of the store is out of date, it
/// is read anew.
async fn supply(
    app: &App,
    conn: &mut pg::PgConnection,
    search: &SearchGroup,
    sought: &mut Sought,
    window: Span,
) -> Result<(Supply, Liking)> {
    for _ in 0..READS {
        let ask = [Ask { sight: &sought.sight, visits: &sought.ways }];
        let looked = look_for(app, &mut *conn, &ask, window, &[], search.customer).await?;
        if let Some((mut supplies, liking)) = looked
            && let Some(supply) = supplies.pop()
        {
            return Ok((supply, liking));
        }
        *sought = search.party.at(app, &mut *conn, search.store).await?;
    }
    Err(edited())
}

fn times_in(
    sought: &Sought,
    context: &Context,
    supply: &Supply,
    window: Span,
    limit: usize,
) -> impl Iterator<Item = Result<GroupTime>> {
    let order = order(sought.sight.policy.assignment, context, supply);
    let offers = availability::offers(supply, &sought.ways, window, &order, limit);
    offers.into_iter().map(|offer| time(sought, &offer))
}

fn time(sought: &Sought, offer: &Offer) -> Result<GroupTime> {
    let visit = sought.ways.get(offer.assignment.alternative);
    let visit = visit.ok_or_else(|| Error::internal("an offer of an unknown alternative"))?;
    let guests: Vec<Slot> =
        (0..sought.chosen.len()).map(|guest| slot(sought, visit, offer, guest)).collect::<Result<_>>()?;
    let list_price =
        guests.iter().try_fold(Money::zero(sought.sight.store.currency), |sum, of| sum.try_add(of.list_price))?;
    let (start, end, waiting) = (offer.start, offer.start + visit.treatment.end, waiting_of(visit));
    Ok(GroupTime { start, end, guests, waiting, list_price })
}

/// What one guest gets.
fn slot(sought: &Sought, visit: &Visit, offer: &Offer, guest: usize) -> Result<Slot> {
    let Sought { sight, chosen, .. } = sought;
    let served = sight.served(visit, &offer.assignment, offer.start);
    let his = || served.iter().filter_map(|of| Some((visit.legs.get(of.part.leg)?, of.part)));
    let parts: Vec<_> =
        his().filter(|(leg, _)| leg.guest == guest).map(|(leg, part)| (guest, leg.item, part)).collect();
    let time = parts.iter().map(|(.., part)| part.time).reduce(Span::hull);
    let time = time.ok_or_else(|| Error::internal("a guest without a treatment"))?;
    let mut therapists =
        visit.demands.iter().filter(|demand| demand.class.resource() == ResourceKind::Therapist).zip(&offer.therapists);
    let able = therapists.find(|(demand, _)| demand.guest == guest).map(|(_, able)| able.clone());
    let chosen = chosen.get(guest).ok_or_else(|| Error::internal("a guest who has chosen nothing"))?;
    Ok(Slot {
        store: sight.store.id,
        start: time.start,
        end: time.end,
        therapists: able.unwrap_or_default(),
        parts,
        list_price: chosen.price_of_guest(&sight.store, &sight.zone, visit, guest, &served)?,
    })
}
