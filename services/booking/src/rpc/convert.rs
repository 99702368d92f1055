//! Wire ↔ domain.

pub mod preference;
pub mod roster;
pub mod rotation;

use kernel::{
    Currency, Error, Result, Timestamp, Uuid,
    ids::{GroupId, ItemId, MemberId, PackageId, RoomId, StoreId, TherapistId},
};
use proto::{
    booking::v1 as pb,
    google::r#type::{DayOfWeek, LatLng, TimeOfDay},
};
use rpc::convert::{money, to_money, to_timestamp};

use crate::domain::{
    availability::Offer,
    booking::{Booking, Channel, Part, State, Step},
    catalog::{Item, Room, Sex, Store, Therapist},
    hours::{self, OpeningHours},
    span::instant,
    visit::Visit,
};

/// Reads a resource name that may be missing.
pub fn optional<T>(name: &str, parse: impl FnOnce(&str) -> Result<T>) -> Result<Option<T>> {
    if name.is_empty() { Ok(None) } else { parse(name).map(Some) }
}

/// A text that may be missing.
pub fn text(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

/// Reads the request id; the validation rules have seen that it is a UUID.
pub fn request_id(text: &str) -> Result<Uuid> {
    kernel::ids::parse_uuid("request_id", text)
}

/// A store to be made.
pub fn store(store: pb::Store, now: Timestamp) -> Result<Store> {
    hours::time_zone("store.time_zone", &store.time_zone)?;
    let opening_hours = store
        .opening_hours
        .iter()
        .enumerate()
        .map(|(index, hours)| opening_hours(&format!("store.opening_hours[{index}]"), hours))
        .collect::<Result<Vec<_>>>()?;
    hours::check(&opening_hours)?;
    Ok(Store {
        id: StoreId::new(now),
        display_name: store.display_name,
        address: store.address,
        position: store.position.map(position).transpose()?,
        time_zone: store.time_zone,
        opening_hours,
        currency: Currency::parse("store.currency_code", &store.currency_code)?,
        create_time: now,
    })
}

fn position(position: LatLng) -> Result<(f64, f64)> {
    let LatLng { latitude, longitude } = position;
    if !(-90.0..=90.0).contains(&latitude) {
        return Err(Error::invalid("store.position.latitude", "must be from -90 to 90 degrees"));
    }
    if !(-180.0..=180.0).contains(&longitude) {
        return Err(Error::invalid("store.position.longitude", "must be from -180 to 180 degrees"));
    }
    Ok((latitude, longitude))
}

fn opening_hours(field: &str, hours: &pb::OpeningHours) -> Result<OpeningHours> {
    let open_minute = minute_of_day(&format!("{field}.open_time"), hours.open_time.as_ref())?;
    let close_minute = minute_of_day(&format!("{field}.close_time"), hours.close_time.as_ref())?;
    if open_minute == 1_440 {
        return Err(Error::invalid(format!("{field}.open_time"), "must be before 24:00; use 00:00 of the next day"));
    }
    let close_minute = if close_minute <= open_minute { close_minute + 1_440 } else { close_minute };
    let day = i16::try_from(hours.day).unwrap_or_default();
    Ok(OpeningHours { day, open_minute, close_minute })
}

fn minute_of_day(field: &str, time: Option<&TimeOfDay>) -> Result<i16> {
    let time = time.ok_or_else(|| Error::invalid(field, "must be given"))?;
    let minute = time.hours.saturating_mul(60).saturating_add(time.minutes);
    let valid = (0..=24).contains(&time.hours)
        && (0..60).contains(&time.minutes)
        && minute <= 1_440
        && time.seconds == 0
        && time.nanos == 0;
    if !valid {
        return Err(Error::invalid(field, "must be a whole minute from 00:00 to 24:00"));
    }
    Ok(i16::try_from(minute).unwrap_or_default())
}

/// An item to be made.
pub fn item(item: pb::Item, now: Timestamp) -> Result<Item> {
    let price = money("item.price", item.price.as_ref())?;
    if price.is_negative() {
        return Err(Error::invalid("item.price", "must not be below 0"));
    }
    if item.equipment_kind == item.room_kind {
        return Err(Error::invalid("item.equipment_kind", "must be another kind than item.room_kind"));
    }
    Ok(Item {
        id: ItemId::new(now),
        display_name: item.display_name,
        description: item.description,
        category: item.category,
        duration_minutes: item.duration_minutes,
        preparation_minutes: item.preparation_minutes,
        cleanup_minutes: item.cleanup_minutes,
        price,
        skill: item.skill,
        room_kind: item.room_kind,
        equipment_kind: Some(item.equipment_kind).filter(|kind| !kind.is_empty()),
        certificate: None,
        phases: Vec::new(),
        create_time: now,
    })
}

/// A therapist to be taken on.
pub fn therapist(therapist: pb::Therapist, now: Timestamp) -> Result<Therapist> {
    Ok(Therapist {
        id: TherapistId::new(now),
        store: StoreId::parse_name("therapist.store", &therapist.store)?,
        sex: sex(therapist.sex()).unwrap_or(Sex::Unspecified),
        display_name: therapist.display_name,
        grade: i16::try_from(therapist.grade).unwrap_or(1),
        skills: therapist.skills,
        create_time: now,
    })
}

/// A room to be added.
pub fn room(room: pb::Room, now: Timestamp) -> Result<Room> {
    Ok(Room {
        id: RoomId::new(now),
        store: StoreId::parse_name("room.store", &room.store)?,
        display_name: room.display_name,
        kind: room.kind,
        create_time: now,
    })
}

/// A sex that is wished for; `None` for any.
pub fn sex(sex: pb::Sex) -> Option<Sex> {
    match sex {
        pb::Sex::Unspecified => None,
        pb::Sex::Female => Some(Sex::Female),
        pb::Sex::Male => Some(Sex::Male),
    }
}

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

/// A store for the wire.
pub fn to_store(store: &Store) -> pb::Store {
    pb::Store {
        name: store.id.name(),
        display_name: store.display_name.clone(),
        address: store.address.clone(),
        position: store.position.map(|(latitude, longitude)| LatLng { latitude, longitude }),
        time_zone: store.time_zone.clone(),
        opening_hours: store.opening_hours.iter().map(to_opening_hours).collect(),
        currency_code: store.currency.code().to_owned(),
        create_time: Some(to_timestamp(store.create_time)),
    }
}

fn to_opening_hours(hours: &OpeningHours) -> pb::OpeningHours {
    let time = |minute: i16| TimeOfDay {
        hours: i32::from(minute / 60),
        minutes: i32::from(minute % 60),
        ..TimeOfDay::default()
    };
    // Up to 24:00 it is the same day; past that it is written as the time of the next.
    let close = if hours.close_minute > 1_440 { hours.close_minute - 1_440 } else { hours.close_minute };
    pb::OpeningHours {
        day: DayOfWeek::try_from(i32::from(hours.day)).unwrap_or_default().into(),
        open_time: Some(time(hours.open_minute)),
        close_time: Some(time(close)),
    }
}

/// An item for the wire.
pub fn to_item(item: &Item) -> pb::Item {
    pb::Item {
        name: item.id.name(),
        display_name: item.display_name.clone(),
        description: item.description.clone(),
        category: item.category.clone(),
        duration_minutes: item.duration_minutes,
        preparation_minutes: item.preparation_minutes,
        cleanup_minutes: item.cleanup_minutes,
        price: Some(to_money(item.price)),
        skill: item.skill.clone(),
        room_kind: item.room_kind.clone(),
        equipment_kind: item.equipment_kind.clone().unwrap_or_default(),
    }
}

/// A therapist for the wire.
pub fn to_therapist(therapist: &Therapist) -> pb::Therapist {
    let sex = match therapist.sex {
        Sex::Unspecified => pb::Sex::Unspecified,
        Sex::Female => pb::Sex::Female,
        Sex::Male => pb::Sex::Male,
    };
    pb::Therapist {
        name: therapist.id.name(),
        store: therapist.store.name(),
        display_name: therapist.display_name.clone(),
        sex: sex.into(),
        grade: i32::from(therapist.grade),
        skills: therapist.skills.clone(),
    }
}

/// A room for the wire.
pub fn to_room(room: &Room) -> pb::Room {
    pb::Room {
        name: room.id.name(),
        store: room.store.name(),
        display_name: room.display_name.clone(),
        kind: room.kind.clone(),
    }
}

/// A time at which a visit for `item` can be had, for the wire.
pub fn to_slot(offer: &Offer, visit: &Visit, item: &Item) -> pb::Slot {
    let first = offer.assignment.parts(visit, offer.start).first().map(|part| part.therapist.name());
    let therapists = offer.therapists.first().into_iter().flatten();
    pb::Slot {
        start_time: Some(to_timestamp(instant(offer.start))),
        end_time: Some(to_timestamp(instant(visit.treatment.moved(offer.start).end))),
        therapist: first.unwrap_or_default(),
        therapists: therapists.map(|therapist| therapist.name()).collect(),
        list_price: Some(to_money(item.price)),
    }
}

/// A booking with its history, for the wire.
pub fn to_booking(booking: &Booking, history: &[Step]) -> pb::Booking {
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
        history: history.iter().map(to_step).collect(),
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
    }
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
