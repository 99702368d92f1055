//! Wire ↔ domain of the waitlist.

use kernel::{
    Timestamp,
    ids::{BookingId, ItemId, PackageId, TherapistId},
};
use proto::booking::v1::{self as pb, waitlist_entry::State as PbState};
use rpc::convert::to_timestamp;

use super::{therapist::to_sex, to_channel};
use crate::domain::{
    chosen::Choice,
    waitlist::{Entry, State},
};

/// An entry for the wire: until when something is offered to it, and how many are before it.
pub fn to_entry(entry: &Entry, offer_expire: Option<Timestamp>, ahead: i64) -> pb::WaitlistEntry {
    let (item, add_ons, package) = match &entry.choice {
        Choice::Item(item, add_ons) => {
            (item.name(), add_ons.iter().map(|item| ItemId::name(*item)).collect(), String::new())
        }
        Choice::Package(package) => (String::new(), Vec::new(), PackageId::name(*package)),
    };
    pb::WaitlistEntry {
        name: entry.id.name(),
        store: entry.store.name(),
        customer: entry.customer.name(),
        item,
        add_ons,
        package,
        therapist: entry.wish.therapist.map(TherapistId::name).unwrap_or_default(),
        sex: entry.wish.sex.map(to_sex).unwrap_or_default().into(),
        min_grade: entry.wish.min_grade.map(i32::from).unwrap_or_default(),
        language: entry.wish.language.clone().unwrap_or_default(),
        start_time: Some(to_timestamp(entry.start_time)),
        end_time: Some(to_timestamp(entry.end_time)),
        state: to_state(entry.state).into(),
        booking: entry.booking.map(BookingId::name).unwrap_or_default(),
        offer_expire_time: offer_expire.map(to_timestamp),
        passed_count: entry.passed_count,
        ahead_count: i32::try_from(ahead).unwrap_or(i32::MAX),
        create_time: Some(to_timestamp(entry.create_time)),
        version: entry.version,
        channel: to_channel(entry.channel).into(),
    }
}

/// A state for the wire.
pub fn to_state(state: State) -> PbState {
    match state {
        State::Waiting => PbState::Waiting,
        State::Offered => PbState::Offered,
        State::Taken => PbState::Taken,
        State::Lapsed => PbState::Lapsed,
        State::Left => PbState::Left,
        State::Over => PbState::Over,
    }
}

/// A state from the wire; `None` if it is not stated.
pub fn state(state: PbState) -> Option<State> {
    match state {
        PbState::Unspecified => None,
        PbState::Waiting => Some(State::Waiting),
        PbState::Offered => Some(State::Offered),
        PbState::Taken => Some(State::Taken),
        PbState::Lapsed => Some(State::Lapsed),
        PbState::Left => Some(State::Left),
        PbState::Over => Some(State::Over),
    }
}
