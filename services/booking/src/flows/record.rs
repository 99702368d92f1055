//! Storing a transition with its event. Every version of a booking has exactly one event.

use kernel::{Result, Timestamp};
use pg::{
    Tx,
    outbox::{self, NewEvent},
};
use proto::booking::v1 as pb;
use rpc::convert::{to_money, to_timestamp};

use crate::{
    db,
    domain::booking::{Booking, Change},
    rpc::convert::{to_booking, to_channel, to_state},
};

/// What a transition means to those who hear of it.
#[derive(Debug, Clone)]
pub enum Happened {
    /// A time is kept.
    Held,
    /// The order is made.
    AwaitingPayment,
    /// The deposit is paid.
    Confirmed {
        /// After the hold had ended.
        reinstated: bool,
    },
    /// The customer has come.
    CheckedIn,
    /// The treatment began.
    Started,
    /// The treatment is done.
    Completed,
    /// Given up.
    Cancelled {
        /// By whom.
        actor: String,
        /// All that was paid comes back.
        in_time: bool,
    },
    /// The deposit was not paid in time.
    Expired,
}

/// Stores a new booking and tells of it.
pub async fn insert(tx: &mut Tx, change: &Change, now: Timestamp) -> Result<pb::Booking> {
    db::booking::insert(tx, change).await?;
    tell(tx, &change.booking, Happened::Held, now).await?;
    Ok(to_booking(&change.booking, std::slice::from_ref(&change.step)))
}

/// Stores a transition and tells of it.
pub async fn save(tx: &mut Tx, change: &Change, happened: Happened, now: Timestamp) -> Result<pb::Booking> {
    db::booking::save(tx, change).await?;
    tell(tx, &change.booking, happened, now).await?;
    Ok(to_booking(&change.booking, &db::booking::history(tx, change.booking.id).await?))
}

async fn tell(tx: &mut Tx, booking: &Booking, happened: Happened, now: Timestamp) -> Result<()> {
    let facts = Some(facts(booking, db::booking::names(tx, booking).await?));
    let (id, version) = (booking.id.uuid(), booking.version);
    let event = match happened {
        Happened::Held => NewEvent::new(id, version, now, &pb::BookingHeld { booking: facts }),
        Happened::AwaitingPayment => NewEvent::new(id, version, now, &pb::BookingAwaitingPayment { booking: facts }),
        Happened::Confirmed { reinstated } => {
            NewEvent::new(id, version, now, &pb::BookingConfirmed { booking: facts, reinstated })
        }
        Happened::CheckedIn => NewEvent::new(id, version, now, &pb::BookingCheckedIn { booking: facts }),
        Happened::Started => NewEvent::new(id, version, now, &pb::BookingStarted { booking: facts }),
        Happened::Completed => NewEvent::new(id, version, now, &pb::BookingCompleted { booking: facts }),
        Happened::Cancelled { actor, in_time } => {
            NewEvent::new(id, version, now, &pb::BookingCancelled { booking: facts, actor, in_time })
        }
        Happened::Expired => NewEvent::new(id, version, now, &pb::BookingExpired { booking: facts }),
    };
    outbox::append(tx, event).await?;
    Ok(())
}

fn facts(booking: &Booking, names: db::booking::Names) -> pb::BookingFacts {
    pb::BookingFacts {
        booking: booking.id.name(),
        store: booking.store.name(),
        item: booking.item.name(),
        therapist: booking.therapist.name(),
        customer: booking.customer.name(),
        start_time: Some(to_timestamp(booking.start_time)),
        end_time: Some(to_timestamp(booking.end_time)),
        state: to_state(booking.state).into(),
        channel: to_channel(booking.channel).into(),
        price: Some(to_money(booking.price)),
        deposit: Some(to_money(booking.deposit)),
        order: booking.order().name(),
        quote: booking.quote.map(|quote| quote.name()).unwrap_or_default(),
        store_display_name: names.store,
        item_display_name: names.item,
        therapist_display_name: names.therapist,
        time_zone: names.time_zone,
    }
}
