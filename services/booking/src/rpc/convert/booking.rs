//! Visits and times.

use kernel::ids::{GroupId, MemberId, PackageId, RoomId};
use proto::booking::v1 as pb;
use rpc::convert::{to_money, to_timestamp};

use super::therapist::to_sex;
use crate::domain::{
    booking::{Booking, Channel, Part, State, Step},
    visit::Wish,
};

/// The way through which a booking comes; the web if it is not stated.
pub fn channel(channel: pb::booking::Channel) -> Channel {
    use pb::booking::Channel as Pb;
    match channel {
        Pb::Unspecified | Pb::Web => Channel::Web,
        Pb::App => Channel::App,
        Pb::MiniProgram => Channel::MiniProgram,
        Pb::Telephone => Channel::Telephone,
        Pb::WalkIn => Channel::WalkIn,
        Pb::Partner => Channel::Partner,
    }
}

/// A state to look for; the validation rules have seen that it is stated.
pub fn state(state: pb::booking::State) -> Option<State> {
    State::ALL.into_iter().map(|(known, _)| known).find(|known| to_state(*known) == state)
}

/// A booking with its history, for the wire. The two are read one after the other: steps that were made in between are
/// left out.
pub fn to_booking(booking: &Booking, history: &[Step]) -> pb::Booking {
    let known = history.iter().take_while(|step| step.version <= booking.version);
    pb::Booking {
        name: booking.id.name(),
        store: booking.store.name(),
        item: booking.item.name(),
        therapist: booking.therapist.name(),
        room: booking.room.name(),
        equipment: booking.equipment.map(RoomId::name).unwrap_or_default(),
        customer: MemberId::name(booking.customer),
        start_time: Some(to_timestamp(booking.start_time)),
        end_time: Some(to_timestamp(booking.end_time)),
        state: to_state(booking.state).into(),
        channel: to_channel(booking.channel).into(),
        list_price: Some(to_money(booking.list_price)),
        price: Some(to_money(booking.price)),
        deposit: Some(to_money(booking.deposit)),
        order: booking.order().name(),
        quote: booking.quote.map(|quote| quote.name()).unwrap_or_default(),
        hold_expire_time: Some(to_timestamp(booking.hold_expire_time)),
        create_time: Some(to_timestamp(booking.create_time)),
        history: known.map(to_step).collect(),
        version: booking.version,
        package: booking.package.map(PackageId::name).unwrap_or_default(),
        parts: booking.parts.iter().map(to_part).collect(),
        add_ons: booking.add_ons.iter().map(|item| item.name()).collect(),
        group: booking.group.map(GroupId::name).unwrap_or_default(),
        extension_minutes: booking.extension_minutes,
        requested: booking.requested,
        assignment: booking.assignment.clone(),
        hold_limit_time: Some(to_timestamp(booking.hold_limit_time)),
        overbooked: booking.overbook_reason.is_some(),
        wish: to_wish(&booking.wish),
    }
}

/// Who was wished for besides a therapist by name; `None` if nobody in particular.
fn to_wish(wish: &Wish) -> Option<pb::booking::Wish> {
    let shown = pb::booking::Wish {
        sex: wish.sex.map(to_sex).unwrap_or_default().into(),
        min_grade: wish.min_grade.map(i32::from).unwrap_or_default(),
        language: wish.language.clone().unwrap_or_default(),
    };
    (shown != pb::booking::Wish::default()).then_some(shown)
}

fn to_part(part: &Part) -> pb::booking::Part {
    pb::booking::Part {
        item: part.item.name(),
        therapist: part.therapist.name(),
        room: part.room.name(),
        equipment: part.equipment.map(RoomId::name).unwrap_or_default(),
        start_time: Some(to_timestamp(part.start_time)),
        end_time: Some(to_timestamp(part.end_time)),
    }
}

fn to_step(step: &Step) -> pb::booking::StateChange {
    pb::booking::StateChange {
        state: to_state(step.state).into(),
        change_time: Some(to_timestamp(step.change_time)),
        actor: step.actor.clone(),
        reason: step.reason.clone(),
    }
}

/// A state for the wire.
pub fn to_state(state: State) -> pb::booking::State {
    use pb::booking::State as Pb;
    match state {
        State::Held => Pb::Held,
        State::AwaitingPayment => Pb::AwaitingPayment,
        State::Confirmed => Pb::Confirmed,
        State::CheckedIn => Pb::CheckedIn,
        State::InService => Pb::InService,
        State::Completed => Pb::Completed,
        State::Cancelled => Pb::Cancelled,
        State::NoShow => Pb::NoShow,
        State::Expired => Pb::Expired,
    }
}

/// A channel for the wire.
pub fn to_channel(channel: Channel) -> pb::booking::Channel {
    use pb::booking::Channel as Pb;
    match channel {
        Channel::Web => Pb::Web,
        Channel::App => Pb::App,
        Channel::MiniProgram => Pb::MiniProgram,
        Channel::Telephone => Pb::Telephone,
        Channel::WalkIn => Pb::WalkIn,
        Channel::Partner => Pb::Partner,
    }
}
