//! People who come together.

use kernel::{Error, Money, Result, Uuid, ids::MemberId};
use proto::booking::v1::{self as pb, booking_group::Payer as PbPayer};
use rpc::{
    Caller, CallerKind,
    convert::{to_money, to_timestamp},
};

use super::{
    optional,
    slots::{Asked, seek, to_slot},
    to_booking,
};
use crate::{
    domain::{
        booking::{Booking, State, Step},
        group::{Group, Payer, Standing, is_over},
        party::check_within,
        span::instant,
    },
    flows::group::{Guest, Party, of_guest, search::GroupTime},
};

/// Those who come; the validation rules have seen that they are not too many.
pub fn party(caller: &Caller, guests: &[pb::GroupGuest], within_minutes: i32) -> Result<Party> {
    let within = i64::from(within_minutes);
    check_within(within)?;
    let guests = guests.iter().enumerate();
    let guests = guests.map(|(index, asked)| guest(caller, asked).map_err(|error| of_guest(error, index)));
    let by_staff = matches!(caller.kind(), CallerKind::Staff { .. });
    Ok(Party { guests: guests.collect::<Result<_>>()?, within, by_staff })
}

fn guest(caller: &Caller, asked: &pb::GroupGuest) -> Result<Guest> {
    let asked = Asked {
        item: &asked.item,
        add_ons: &asked.add_ons,
        package: &asked.package,
        party_size: None,
        therapist: &asked.therapist,
        sex: asked.sex(),
        min_grade: asked.min_grade,
        language: &asked.language,
        partner: "",
    };
    let seek = seek(caller, asked)?;
    Ok(Guest { choice: seek.choice, wish: seek.wish })
}

/// Whose visit each is, as far as it is somebody else's than the organiser's.
pub fn customers(guests: &[pb::GroupGuest]) -> Result<Vec<Option<MemberId>>> {
    let named = |(index, guest): (usize, &pb::GroupGuest)| {
        optional(&guest.customer, |name| MemberId::parse_name(&format!("guests[{index}].customer"), name))
    };
    guests.iter().enumerate().map(named).collect()
}

/// Who pays; the validation rules have seen that it is stated.
pub fn payer(payer: PbPayer) -> Result<Payer> {
    match payer {
        PbPayer::One => Ok(Payer::One),
        PbPayer::Split => Ok(Payer::Split),
        PbPayer::Unspecified => Err(Error::invalid("payer", "must be stated")),
    }
}

/// Who pays, for the wire.
pub fn to_payer(payer: Payer) -> PbPayer {
    match payer {
        Payer::One => PbPayer::One,
        Payer::Split => PbPayer::Split,
    }
}

/// How far a group is, for the wire.
pub fn to_standing(standing: Standing) -> pb::booking_group::State {
    match standing {
        Standing::Held => pb::booking_group::State::Held,
        Standing::Confirmed => pb::booking_group::State::Confirmed,
        Standing::Ended => pb::booking_group::State::Ended,
    }
}

/// A time at which a party can come, for the wire.
pub fn to_time(time: &GroupTime) -> pb::GroupTime {
    pb::GroupTime {
        start_time: Some(to_timestamp(instant(time.start))),
        end_time: Some(to_timestamp(instant(time.end))),
        guests: time.guests.iter().map(to_slot).collect(),
        waiting_minutes: i32::try_from(time.waiting).unwrap_or(i32::MAX),
        list_price: Some(to_money(time.list_price)),
    }
}

/// Who looks at a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Viewer {
    /// The organiser, or staff.
    Whole,
    /// A guest.
    Guest(MemberId),
}

impl Viewer {
    fn sees(self, member: MemberId) -> bool {
        self == Self::Whole || self == Self::Guest(member)
    }
}

/// A group with its visits, for the wire. `steps` has those of its bookings, and may have more.
pub fn to_group(
    viewer: Viewer,
    group: &Group,
    bookings: &[Booking],
    steps: &[(Uuid, Step)],
) -> Result<pb::BookingGroup> {
    let left: Vec<&Booking> = bookings.iter().filter(|booking| !is_over(booking.state)).collect();
    let timed = if left.is_empty() { bookings.iter().collect() } else { left.clone() };
    let view = |booking: &Booking| {
        if !viewer.sees(booking.customer) {
            return to_place(booking);
        }
        let steps = steps.iter().filter(|(of, _)| *of == booking.id.uuid());
        to_booking(booking, &steps.map(|(_, step)| step.clone()).collect::<Vec<_>>())
    };
    Ok(pb::BookingGroup {
        name: group.id.name(),
        store: group.store.name(),
        organiser: group.organiser.name(),
        payer: to_payer(group.payer).into(),
        state: to_standing(Standing::of(bookings.iter().map(|booking| booking.state))).into(),
        start_time: timed.iter().map(|booking| booking.start_time).min().map(to_timestamp),
        end_time: timed.iter().map(|booking| booking.end_time).max().map(to_timestamp),
        bookings: bookings.iter().map(view).collect(),
        shares: shares(viewer, group, &left)?,
        create_time: Some(to_timestamp(group.create_time)),
        version: group.version,
    })
}

/// What everybody may know of a guest's visit: what and when it is, and where.
fn to_place(booking: &Booking) -> pb::Booking {
    let whole = to_booking(booking, &[]);
    pb::Booking {
        name: whole.name,
        store: whole.store,
        item: whole.item,
        therapist: whole.therapist,
        room: whole.room,
        equipment: whole.equipment,
        start_time: whole.start_time,
        end_time: whole.end_time,
        state: whole.state,
        package: whole.package,
        parts: whole.parts,
        add_ons: whole.add_ons,
        group: whole.group,
        ..pb::Booking::default()
    }
}

/// What each payer owes of the visits that are left, in the order of the guests.
fn shares(viewer: Viewer, group: &Group, left: &[&Booking]) -> Result<Vec<pb::booking_group::Share>> {
    let mut payers: Vec<MemberId> = Vec::new();
    for payer in left.iter().map(|booking| group.payer_for(booking.customer)) {
        if viewer.sees(payer) && !payers.contains(&payer) {
            payers.push(payer);
        }
    }
    let share = |payer: MemberId| {
        let his: Vec<&Booking> =
            left.iter().copied().filter(|booking| group.payer_for(booking.customer) == payer).collect();
        let sum = |amount: fn(&Booking) -> Money| {
            his.iter().map(|booking| amount(booking)).map(Ok).reduce(|sum, more| sum?.try_add(more?)).transpose()
        };
        let order = |booking: &&Booking| pb::booking_group::Due {
            booking: booking.id.name(),
            order: booking.order().name(),
            amount: Some(to_money(due(booking))),
        };
        Ok(pb::booking_group::Share {
            payer: payer.name(),
            price: sum(|booking| booking.price)?.map(to_money),
            deposit: sum(|booking| booking.deposit)?.map(to_money),
            due: sum(due)?.map(to_money),
            orders: his.iter().map(order).collect(),
        })
    };
    payers.into_iter().map(share).collect()
}

/// What has to be paid now for a visit to be confirmed.
fn due(booking: &Booking) -> Money {
    match booking.state {
        State::Held | State::AwaitingPayment => booking.deposit,
        _ => Money::zero(booking.deposit.currency()),
    }
}
