//! Wire ↔ domain of the queue.

use kernel::{
    Timestamp,
    ids::{BookingId, ItemId, PackageId, TherapistId},
};
use proto::booking::v1::{self as pb, queue_ticket::State as PbState};
use rpc::convert::to_timestamp;

use super::therapist::to_sex;
use crate::domain::{
    chosen::Choice,
    span::{Minute, instant, minute},
    walk_in::{State, Ticket},
};

/// A ticket for the wire: where it stands, from 0, and when its visit can begin.
pub fn to_ticket(ticket: &Ticket, position: Option<usize>, start: Option<Minute>, now: Timestamp) -> pb::QueueTicket {
    let (item, add_ons, package) = match &ticket.choice {
        Choice::Item(item, add_ons) => {
            (item.name(), add_ons.iter().map(|item| ItemId::name(*item)).collect(), String::new())
        }
        Choice::Package(package) => (String::new(), Vec::new(), PackageId::name(*package)),
    };
    let wait = start.map(|start| start - minute(now)).unwrap_or_default();
    pb::QueueTicket {
        name: ticket.id().name(),
        store: ticket.store.name(),
        number: ticket.number,
        customer: ticket.customer.name(),
        item,
        add_ons,
        package,
        therapist: ticket.wish.therapist.map(TherapistId::name).unwrap_or_default(),
        sex: ticket.wish.sex.map(to_sex).unwrap_or_default().into(),
        urgent: ticket.place.urgent,
        tier: i32::from(ticket.place.tier),
        state: to_state(ticket.state).into(),
        position: position.and_then(|position| i32::try_from(position + 1).ok()).unwrap_or_default(),
        expected_time: start.map(|start| to_timestamp(instant(start))),
        wait_minutes: i32::try_from(wait).unwrap_or(i32::MAX),
        quoted_time: Some(to_timestamp(ticket.quoted_time)),
        skip_count: ticket.skip_count,
        booking: ticket.booking.map(BookingId::name).unwrap_or_default(),
        create_time: Some(to_timestamp(ticket.place.join_time)),
        version: ticket.version,
    }
}

/// A state for the wire.
pub fn to_state(state: State) -> PbState {
    match state {
        State::Waiting => PbState::Waiting,
        State::Called => PbState::Called,
        State::Left => PbState::Left,
        State::Lapsed => PbState::Lapsed,
        State::Over => PbState::Over,
    }
}
