//! Finds the times at which an item can be had.

use jiff::SignedDuration;
use kernel::{
    Error, Result, Timestamp,
    ids::{BookingId, ItemId, StoreId},
};
use pg::PgConnection;

use crate::{
    App, db,
    domain::{
        availability::{self, Offer, Supply},
        catalog::{Item, Store},
        span::{Minute, Span, minute, minute_after},
        visit::{Visit, Wish},
    },
};

/// The widest search.
const WIDEST: SignedDuration = SignedDuration::from_hours(31 * 24);

/// Minutes of the longest day, the one on which clocks are set back: no opening is longer.
const DAY: i64 = 25 * 60;

/// Minutes that a search looks at first.
const FIRST_LOOK: Minute = 2 * DAY;

/// What is looked for.
#[derive(Debug, Clone)]
pub struct Search {
    /// Where.
    pub store: StoreId,
    /// What.
    pub item: ItemId,
    /// Starting at or after this.
    pub from: Timestamp,
    /// Starting before this.
    pub to: Timestamp,
    /// With whom.
    pub wish: Wish,
    /// Only after this start: where the page before ended.
    pub after: Option<Minute>,
    /// At most so many.
    pub limit: usize,
}

/// What a search found.
#[derive(Debug)]
pub struct Found {
    /// What was looked for.
    pub item: Item,
    /// What it keeps: the alternatives that the offers speak of.
    pub visits: Vec<Visit>,
    /// The times that can be had, by start.
    pub offers: Vec<Offer>,
}

/// The times that can be had.
pub async fn search_slots(app: &App, search: Search) -> Result<Found> {
    if search.to <= search.from {
        return Err(Error::invalid("end_time", "must be later than start_time"));
    }
    if search.to.duration_since(search.from) > WIDEST {
        return Err(Error::invalid("end_time", "must be at most 31 days after start_time"));
    }
    let now = app.clock.now();
    // What lies exactly at the end of the bookable time can still be held.
    let end = minute_after(search.to).min(minute(now + app.policy.bookable()) + 1);
    let start =
        minute_after(search.from.max(now)).max(search.after.map_or(Minute::MIN, |after| after.saturating_add(1)));
    let mut conn = app.pg.conn().await?;
    let (store, item) = store_and_item(&mut conn, search.store, search.item).await?;
    let visits = vec![Visit::of_item(&item, &[])?.wishing(0, &search.wish)];
    let mut offers = Vec::new();
    // A page is mostly full within days, so a wide search looks at few of them first, and at more as long as it must.
    let (mut from, mut stride) = (start, FIRST_LOOK);
    while from < end && offers.len() < search.limit {
        let part = Span::new(from, end.min(from.saturating_add(stride)));
        let supply = supply(app, &mut conn, &store, &visits, part).await?;
        let order = availability::least_work(&supply);
        offers.extend(availability::offers(&supply, &visits, part, &order, search.limit - offers.len()));
        (from, stride) = (part.end, stride * 4);
    }
    Ok(Found { item, visits, offers })
}

/// The store and the item, which must be on the menu and priced in its currency.
pub async fn store_and_item(conn: &mut PgConnection, store: StoreId, item: ItemId) -> Result<(Store, Item)> {
    let (store_id, item_id) = (store, item);
    let store = db::catalog::get_store(conn, store).await?.ok_or_else(|| Error::not_found(store_id))?;
    let item = db::catalog::get_item(conn, item).await?.ok_or_else(|| Error::not_found(item_id))?;
    item.check_offered()?;
    if item.price.currency() != store.currency {
        return Err(Error::precondition(
            "CURRENCY_MISMATCH",
            format!("the item is priced in {}, the store charges in {}", item.price.currency(), store.currency),
        ));
    }
    Ok((store, item))
}

/// All that a store could use for visits that start within `window`.
pub async fn supply(
    app: &App,
    conn: &mut PgConnection,
    store: &Store,
    visits: &[Visit],
    window: Span,
) -> Result<Supply> {
    supply_without(app, conn, store, visits, window, &[]).await
}

/// The same, as if the bookings of `without` kept nothing.
pub async fn supply_without(
    app: &App,
    conn: &mut PgConnection,
    store: &Store,
    visits: &[Visit],
    window: Span,
    without: &[BookingId],
) -> Result<Supply> {
    // The last visit may start at the end of the window. And whoever has the least work that day is proposed, so every
    // opening that the window touches is looked at whole.
    let longest = visits.iter().map(|visit| visit.treatment.end).max().unwrap_or(0);
    let reach = Span::new(window.start, window.end + longest);
    let days = Span::new(reach.start - DAY, reach.end + DAY);
    let mut openings = store.openings(days)?;
    openings.retain(|span| span.overlaps(reach));
    let policy = db::policy::of_store(&mut *conn, &app.policy, store.id).await?;
    Ok(db::supply::read(conn, store.id, visits, openings, window, policy.limits, without).await?)
}
