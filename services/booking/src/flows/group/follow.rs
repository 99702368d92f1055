//! What is told of a group. Each version of it has one event.

use kernel::{Error, Result, Timestamp};
use pg::{
    Tx,
    outbox::{self, NewEvent},
};
use proto::booking::v1::{self as pb, group_changed::Change};

use crate::{
    db,
    domain::{
        booking::{Booking, State},
        group::{Group, Standing, is_over},
    },
    flows::record::Happened,
    rpc::convert::{
        group::{to_payer, to_standing},
        to_state,
    },
};

/// Tells that a group is kept.
pub async fn held(tx: &mut Tx, group: &Group, bookings: &[Booking], now: Timestamp) -> Result<()> {
    let told = pb::GroupHeld { group: Some(facts(group, bookings)) };
    outbox::append(tx, NewEvent::new(group.id.uuid(), group.version, now, &told)).await?;
    Ok(())
}

/// What a transition of one of its bookings means to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// A guest does not come.
    Left,
    /// A guest who had not paid in time comes after all.
    Back,
    /// A deposit is paid, maybe the last.
    Confirmed,
}

impl News {
    /// `None` if the booking has no group, or if it means nothing to it.
    pub fn of(booking: &Booking, happened: &Happened) -> Option<Self> {
        booking.group?;
        match happened {
            Happened::Confirmed { reinstated: true } => Some(Self::Back),
            Happened::Confirmed { .. } => Some(Self::Confirmed),
            _ => is_over(booking.state).then_some(Self::Left),
        }
    }
}

/// Tells what the transition of a booking, which was stored in this transaction, means to its group.
///
/// Whoever locks a booking has locked its group before. So of two who confirm the last two visits at the same moment the
/// second sees what the first has done.
pub async fn changed(tx: &mut Tx, booking: &Booking, news: News, now: Timestamp) -> Result<()> {
    let Some(id) = booking.group else { return Ok(()) };
    let group = db::group::lock(tx, id).await?;
    let mut group = group.ok_or_else(|| Error::internal("a booking of an unknown group"))?;
    let bookings = db::booking::of_group(tx, id).await?;
    let waits = |other: &Booking| matches!(other.state, State::Held | State::AwaitingPayment);
    let change = match news {
        News::Left => Change::GuestLeft,
        News::Back => Change::GuestBack,
        News::Confirmed if bookings.iter().any(waits) => return Ok(()),
        News::Confirmed => Change::AllConfirmed,
    };
    group.version += 1;
    db::group::save_version(tx, &group).await?;
    let (facts, booking) = (Some(facts(&group, &bookings)), booking.id.name());
    let told = pb::GroupChanged { group: facts, change: change.into(), booking };
    outbox::append(tx, NewEvent::new(group.id.uuid(), group.version, now, &told)).await?;
    Ok(())
}

fn facts(group: &Group, bookings: &[Booking]) -> pb::GroupFacts {
    let member = |booking: &Booking| pb::group_facts::Member {
        booking: booking.id.name(),
        customer: booking.customer.name(),
        state: to_state(booking.state).into(),
    };
    pb::GroupFacts {
        group: group.id.name(),
        store: group.store.name(),
        organiser: group.organiser.name(),
        payer: to_payer(group.payer).into(),
        state: to_standing(Standing::of(bookings.iter().map(|booking| booking.state))).into(),
        members: bookings.iter().map(member).collect(),
    }
}
