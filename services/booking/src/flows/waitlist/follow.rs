//! What the life of a booking means for the waitlist.

use kernel::{Result, Timestamp, Uuid, ids::StoreId};
use pg::{
    Tx,
    tasks::{self, NewTask},
};
use proto::booking::v1 as pb;
use rpc::convert::timestamp;

use super::save;
use crate::{
    db,
    domain::{
        booking::Booking,
        span::{Span, minute, minute_after},
    },
    flows::record::Happened,
};

/// The kind of tasks that serve the line of a store.
pub const SERVE: &str = "serve_waitlist";

/// Follows a transition of a booking, in its transaction: an offer is taken or let pass, a time gets free.
pub async fn follow(tx: &mut Tx, booking: &Booking, happened: &Happened, now: Timestamp) -> Result<()> {
    let own = (booking.start_time, booking.end_time);
    match happened {
        Happened::Confirmed { .. } => taken(tx, booking, now).await,
        Happened::Cancelled { .. } | Happened::Expired => {
            passed(tx, booking, now).await?;
            freed(tx, booking.store, own, now).await
        }
        Happened::NoShow { .. } => freed(tx, booking.store, own, now).await,
        Happened::Rescheduled { before, .. } | Happened::Moved { before, .. } => {
            freed(tx, booking.store, time(before)?, now).await
        }
        _ => Ok(()),
    }
}

fn time(before: &pb::Before) -> Result<(Timestamp, Timestamp)> {
    Ok((timestamp("start_time", before.start_time.as_ref())?, timestamp("end_time", before.end_time.as_ref())?))
}

async fn taken(tx: &mut Tx, booking: &Booking, now: Timestamp) -> Result<()> {
    let Some(entry) = db::waitlist::lock_offered(tx, booking.id).await? else { return Ok(()) };
    db::waitlist::end_offer(tx, booking.id, true).await?;
    match entry.take(booking.id) {
        Some(entry) => save(tx, &entry, now).await,
        None => Ok(()),
    }
}

async fn passed(tx: &mut Tx, booking: &Booking, now: Timestamp) -> Result<()> {
    let Some(entry) = db::waitlist::lock_offered(tx, booking.id).await? else { return Ok(()) };
    // A visit that was taken and is given up later was no offer any more.
    if entry.state == crate::domain::waitlist::State::Taken && entry.booking == Some(booking.id) {
        return Ok(());
    }
    db::waitlist::end_offer(tx, booking.id, false).await?;
    match entry.pass(booking.id) {
        Some(entry) => save(tx, &entry, now).await,
        None => Ok(()),
    }
}

/// Has the line of a store served, since this time got free. A time that is past serves nobody.
async fn freed(tx: &mut Tx, store: StoreId, (start, end): (Timestamp, Timestamp), now: Timestamp) -> Result<()> {
    if end > now {
        let span = Span::new(minute(start), minute_after(end));
        serve_later(tx, store.uuid(), span, now).await?;
    }
    Ok(())
}

/// Has a line served: of a store, or of one entry alone.
pub(super) async fn serve_later(tx: &mut Tx, whose: Uuid, freed: Span, now: Timestamp) -> Result<()> {
    let payload = [freed.start.to_be_bytes(), freed.end.to_be_bytes()].concat();
    tasks::add(tx, now, NewTask { kind: SERVE, aggregate_id: whose, payload, due_time: now }).await?;
    Ok(())
}

/// The span in the payload of a task.
pub(super) fn freed_span(payload: &[u8]) -> Option<Span> {
    let (start, end) = payload.split_at_checked(8)?;
    let read = |bytes: &[u8]| Some(i64::from_be_bytes(bytes.try_into().ok()?));
    Some(Span::new(read(start)?, read(end)?))
}
