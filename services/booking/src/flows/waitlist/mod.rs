//! The waitlist: joining and leaving, and what is offered to whom.
//!
//! Whatever gives a time back writes a task in its transaction ([`follow`]): a booking that is cancelled, moved away, or
//! whose hold runs out. An edit of the roster shows in its version ([`serve::serve_edited`]). The worker then goes along
//! the line, and holds for each what can be had now ([`offer`]); the constraint on allocations decides, so that one time
//! is never offered twice, however many workers serve it. An offer is a booking with a row in `waitlist_offer`: nothing is
//! lost with the process.
//!
//! Until the worker comes to it, a moment after the time got free, anybody may take it.

pub mod accept;
pub mod follow;
pub mod join;
pub mod leave;
pub mod offer;
pub mod serve;

use kernel::{Result, Timestamp, Uuid};
use pg::{
    PgConnection, Tx,
    outbox::{self, NewEvent},
};
use proto::booking::v1 as pb;

use super::seek::Seek;
use crate::{
    db,
    domain::waitlist::Entry,
    rpc::convert::waitlist::{to_entry, to_state},
};

/// Who does what the waitlist does by itself.
const ACTOR: &str = "services/booking";

/// What an entry looks for.
fn seek(entry: &Entry) -> Seek {
    Seek {
        choice: entry.choice.clone(),
        guests: 1,
        wish: entry.wish.clone(),
        customer: Some(entry.customer),
        by_partner: false,
        by_staff: false,
    }
}

/// Stores a change of an entry and tells of it.
async fn save(tx: &mut Tx, entry: &Entry, now: Timestamp) -> Result<()> {
    db::waitlist::save(tx, entry).await?;
    tell(tx, entry, now).await
}

/// Tells of the state that an entry came into.
async fn tell(tx: &mut Tx, entry: &Entry, now: Timestamp) -> Result<()> {
    let changed = pb::WaitlistEntryChanged {
        entry: entry.id.name(),
        store: entry.store.name(),
        customer: entry.customer.name(),
        state: to_state(entry.state).into(),
        passed_count: entry.passed_count,
        booking: entry.booking.map(|booking| booking.name()).unwrap_or_default(),
    };
    outbox::append(tx, NewEvent::new(entry.id.uuid(), entry.version, now, &changed)).await?;
    Ok(())
}

/// Entries as people see them.
pub async fn view(conn: &mut PgConnection, entries: &[Entry]) -> Result<Vec<pb::WaitlistEntry>> {
    let ids: Vec<Uuid> = entries.iter().map(|entry| entry.id.uuid()).collect();
    let ahead: std::collections::HashMap<Uuid, i64> =
        db::waitlist::ahead(&mut *conn, &ids).await?.into_iter().collect();
    let mut views = Vec::with_capacity(entries.len());
    for entry in entries {
        let offered = match entry.booking.filter(|_| entry.state == crate::domain::waitlist::State::Offered) {
            Some(booking) => db::booking::get(&mut *conn, booking).await?,
            None => None,
        };
        let expire = offered.map(|booking| booking.hold_expire_time);
        views.push(to_entry(entry, expire, ahead.get(&entry.id.uuid()).copied().unwrap_or_default()));
    }
    Ok(views)
}

/// One entry as people see it.
pub async fn view_one(conn: &mut PgConnection, entry: &Entry) -> Result<pb::WaitlistEntry> {
    Ok(view(conn, std::slice::from_ref(entry)).await?.pop().unwrap_or_default())
}
