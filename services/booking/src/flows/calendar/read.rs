//! Writes calendars. They are made anew each time that they are read.

use jiff::SignedDuration;
use kernel::{
    Error, ErrorKind, Result,
    ids::{BookingId, StoreId},
};
use pg::PgConnection;
use rpc::Caller;

use crate::{
    App,
    db::{self, calendar::Window},
    domain::calendar::{self, Publisher},
    flows::change,
};

/// How long visits stay in a feed after their start.
const PAST: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The most entries of a feed: about 2 MB.
const ENTRIES: i64 = 5_000;

/// The feed behind an address.
///
/// # Errors
/// `NotFound` if the address was not made here or is not good any more; it is not told which.
pub async fn feed(app: &App, token: &str) -> Result<String> {
    let unknown = || Error::new(ErrorKind::NotFound, "NOT_FOUND", "there is no calendar at this address (any more)");
    let (id, version) = app.links.read(token).ok_or_else(unknown)?;
    let mut conn = app.pg.conn().await?;
    let link = db::calendar_link::get(&mut conn, id).await?.filter(|link| link.admits(version)).ok_or_else(unknown)?;
    let now = app.clock.now();
    let window = Window {
        store: link.store,
        therapist: link.therapist,
        from: now - PAST,
        to: now + app.policy.bookable(),
        limit: ENTRIES,
    };
    let legs = db::calendar::in_window(&mut conn, &window).await?;
    let publisher = publisher(&mut conn, link.store).await?;
    let name = match link.therapist {
        Some(id) => {
            let therapist = db::catalog::get_therapist(&mut conn, id).await?.ok_or_else(|| Error::not_found(id))?;
            format!("{} · {}", therapist.display_name, publisher.name)
        }
        None => publisher.name.clone(),
    };
    Ok(calendar::feed(&name, &publisher, &legs, now))
}

/// One booking as a calendar entry.
pub async fn visit(app: &App, caller: &Caller, id: BookingId) -> Result<String> {
    let booking = change::own(app, caller, id).await?;
    let mut conn = app.pg.conn().await?;
    let legs = db::calendar::of_booking(&mut conn, id).await?;
    let publisher = publisher(&mut conn, booking.store).await?;
    calendar::visit(&publisher, &legs, app.clock.now()).ok_or_else(|| Error::not_found(id))
}

async fn publisher(conn: &mut PgConnection, id: StoreId) -> Result<Publisher> {
    let store = db::catalog::get_store(conn, id).await?.ok_or_else(|| Error::not_found(id))?;
    Ok(Publisher { store: store.id, name: store.display_name, address: store.address })
}
