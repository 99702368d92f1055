//! Storing a transition with its event. Every version of a booking has exactly one event.

use kernel::{
    Money, Result, Timestamp,
    ids::{GroupId, ItemId, TherapistId},
};
use pg::{
    Tx,
    outbox::{self, NewEvent},
};
use proto::booking::v1 as pb;
use rpc::convert::{to_money, to_timestamp};

use super::{
    group::follow::{self, News},
    waitlist,
};
use crate::{
    db::{self, booking::Names},
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
    /// The time is kept for longer without a deposit.
    HoldExtended,
    /// It goes on at another time or with another therapist.
    Rescheduled {
        /// As it was.
        before: pb::Before,
        /// By whom.
        actor: String,
    },
    /// Staff moved it.
    Moved {
        /// As it was.
        before: pb::Before,
        /// By whom.
        actor: String,
    },
    /// The running visit was made longer.
    Extended {
        /// As it was.
        before: pb::Before,
        /// By how many minutes.
        minutes: i32,
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
        /// What stays with the store, of what was paid at most.
        fee: Money,
        /// At whose wish.
        reason: &'static str,
    },
    /// The customer did not come.
    NoShow {
        /// What stays with the store, of what was paid at most.
        fee: Money,
    },
    /// The deposit was not paid in time.
    Expired,
}

/// Stores a new booking and tells of it; returns what is called how.
pub async fn insert(tx: &mut Tx, change: &Change, now: Timestamp) -> Result<Names> {
    let names = db::booking::insert(tx, change).await?;
    tell(tx, &change.booking, &names, Happened::Held, now).await?;
    Ok(names)
}

/// Stores a transition and tells of it; returns what is called how.
pub async fn store(tx: &mut Tx, change: &Change, happened: Happened, now: Timestamp) -> Result<Names> {
    let names = db::booking::save(tx, change).await?;
    waitlist::follow::follow(tx, &change.booking, &happened, now).await?;
    let news = News::of(&change.booking, &happened);
    tell(tx, &change.booking, &names, happened, now).await?;
    if let Some(news) = news {
        follow::changed(tx, &change.booking, news, now).await?;
    }
    Ok(names)
}

/// The same for whoever wants to see the booking as it is then.
pub async fn save(tx: &mut Tx, change: &Change, happened: Happened, now: Timestamp) -> Result<pb::Booking> {
    store(&mut *tx, change, happened, now).await?;
    Ok(to_booking(&change.booking, &db::booking::history(tx, change.booking.id).await?))
}

async fn tell(tx: &mut Tx, booking: &Booking, names: &Names, happened: Happened, now: Timestamp) -> Result<()> {
    let facts = Some(facts(booking, names.clone()));
    let (id, version) = (booking.id.uuid(), booking.version);
    let event = match happened {
        Happened::Held => NewEvent::new(id, version, now, &pb::BookingHeld { booking: facts }),
        Happened::AwaitingPayment => NewEvent::new(id, version, now, &pb::BookingAwaitingPayment { booking: facts }),
        Happened::Confirmed { reinstated } => {
            NewEvent::new(id, version, now, &pb::BookingConfirmed { booking: facts, reinstated })
        }
        Happened::HoldExtended => {
            let hold_expire_time = Some(to_timestamp(booking.hold_expire_time));
            NewEvent::new(id, version, now, &pb::HoldExtended { booking: facts, hold_expire_time })
        }
        Happened::Rescheduled { before, actor } => {
            NewEvent::new(id, version, now, &pb::BookingRescheduled { booking: facts, before: Some(before), actor })
        }
        Happened::Moved { before, actor } => {
            let overbooked = booking.overbook_reason.is_some();
            let moved = pb::BookingMoved { booking: facts, before: Some(before), actor, overbooked };
            NewEvent::new(id, version, now, &moved)
        }
        Happened::Extended { before, minutes } => {
            NewEvent::new(id, version, now, &pb::BookingExtended { booking: facts, before: Some(before), minutes })
        }
        Happened::CheckedIn => NewEvent::new(id, version, now, &pb::BookingCheckedIn { booking: facts }),
        Happened::Started => NewEvent::new(id, version, now, &pb::BookingStarted { booking: facts }),
        Happened::Completed => {
            let (parts, partner) = (parts(tx, booking).await?, booking.partner.clone().unwrap_or_default());
            NewEvent::new(id, version, now, &pb::BookingCompleted { booking: facts, parts, partner })
        }
        Happened::Cancelled { actor, fee, reason } => {
            let (in_time, fee, reason) = (fee.is_zero(), Some(to_money(fee)), reason.to_owned());
            NewEvent::new(id, version, now, &pb::BookingCancelled { booking: facts, actor, in_time, fee, reason })
        }
        Happened::NoShow { fee } => {
            NewEvent::new(id, version, now, &pb::BookingNoShow { booking: facts, fee: Some(to_money(fee)) })
        }
        Happened::Expired => NewEvent::new(id, version, now, &pb::BookingExpired { booking: facts }),
    };
    outbox::append(tx, event).await?;
    Ok(())
}

/// A booking as it is before a change, for the event that tells of the change.
pub fn before(booking: &Booking) -> pb::Before {
    pb::Before {
        start_time: Some(to_timestamp(booking.start_time)),
        end_time: Some(to_timestamp(booking.end_time)),
        therapist: booking.therapist.name(),
        room: booking.room.name(),
        price: Some(to_money(booking.price)),
    }
}

/// The parts of a visit with the grades of its therapists as they are now: who earns by it asks what they were then.
async fn parts(tx: &mut Tx, booking: &Booking) -> Result<Vec<pb::booking_completed::Part>> {
    let tasks = booking.tasks();
    let ids: Vec<TherapistId> = tasks.iter().map(|(therapist, ..)| *therapist).collect();
    let therapists = db::catalog::get_therapists(tx, &ids).await?;
    let grade = |id: TherapistId| therapists.iter().find(|of| of.id == id).map_or(0, |of| i32::from(of.grade));
    let part = |(therapist, item, minutes): (TherapistId, ItemId, i32)| pb::booking_completed::Part {
        therapist: therapist.name(),
        item: item.name(),
        grade: grade(therapist),
        requested: booking.requested,
        minutes,
    };
    Ok(tasks.into_iter().map(part).collect())
}

/// What events tell of a booking.
pub async fn facts_of(tx: &mut Tx, booking: &Booking) -> Result<pb::BookingFacts> {
    Ok(facts(booking, db::booking::names(tx, booking).await?))
}

fn facts(booking: &Booking, names: Names) -> pb::BookingFacts {
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
        room: booking.room.name(),
        group: booking.group.map(GroupId::name).unwrap_or_default(),
    }
}
