//! Finds the times at which an item can be had.

use jiff::SignedDuration;
use kernel::{
    Error, Result, Timestamp,
    ids::{ItemId, StoreId},
};
use pg::PgConnection;

use crate::{
    App, db,
    db::supply::Wish,
    domain::{
        availability::{self, Offer, Supply},
        catalog::Item,
        hours,
        span::{Minute, Span, minute, minute_after},
    },
};

/// The widest search.
const WIDEST: SignedDuration = SignedDuration::from_hours(31 * 24);

/// Minutes of the longest day, the one on which clocks are set back: no opening is longer.
const DAY: i64 = 25 * 60;

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

/// The times that can be had, by start, and the item that they are for.
pub async fn search_slots(app: &App, search: Search) -> Result<(Item, Vec<Offer>)> {
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
    let window = Span::new(start.min(end), end);
    let mut conn = app.pg.conn().await?;
    let (item, supply) = supply(&mut conn, search.store, search.item, window, search.wish).await?;
    Ok((item.clone(), availability::offers(&supply, item.need(), window, search.limit)))
}

/// The item, and all that the store could use for it within `window`.
pub async fn supply(
    conn: &mut PgConnection,
    store: StoreId,
    item: ItemId,
    window: Span,
    wish: Wish,
) -> Result<(Item, Supply)> {
    let item_id = item;
    let store = db::catalog::get_store(conn, store).await?.ok_or_else(|| Error::not_found(store))?;
    let item = db::catalog::get_item(conn, item).await?.ok_or_else(|| Error::not_found(item_id))?;
    if item.price.currency() != store.currency {
        return Err(Error::precondition(
            "CURRENCY_MISMATCH",
            format!("the item is priced in {}, the store charges in {}", item.price.currency(), store.currency),
        ));
    }
    // The last treatment may start at the end of the window. And whoever has the least work that day is proposed, so
    // every opening that the window touches is looked at whole.
    let zone = hours::time_zone("store.time_zone", &store.time_zone)?;
    let reach = Span::new(window.start, window.end + item.need().duration);
    let days = Span::new(reach.start - DAY, reach.end + DAY);
    let mut openings = hours::openings(&store.opening_hours, &zone, days);
    openings.retain(|span| span.overlaps(reach));
    let supply = db::supply::read(conn, store.id, &item, openings, window, wish).await?;
    Ok((item, supply))
}
