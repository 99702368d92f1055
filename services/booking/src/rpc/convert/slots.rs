//! Times that can be had, and why others can't.

use kernel::{
    Error, Result,
    ids::{ItemId, PackageId, RoomId, StoreId, TherapistId},
};
use proto::booking::v1::{self as pb, slot_explanation::reason::Cause as PbCause};
use rpc::{
    Caller, CallerKind,
    convert::{to_money, to_timestamp},
};

use super::{optional, sex};
use crate::{
    domain::{
        availability::{Cause, Part, Reason},
        chosen::Choice,
        span::instant,
        visit::Wish,
    },
    flows::{explain_slots::Explained, search_slots::Slot, seek::Seek},
};

/// What the requests that look for times have in common.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// `items/<uuid>`, or empty.
    pub item: &'a str,
    /// `items/<uuid>`.
    pub add_ons: &'a [String],
    /// `packages/<uuid>`, or empty.
    pub package: &'a str,
    /// How many people come.
    pub party_size: Option<i32>,
    /// `therapists/<uuid>`, or empty.
    pub therapist: &'a str,
    /// Of the therapist.
    pub sex: pb::Sex,
    /// Of the therapist; 0 for any.
    pub min_grade: i32,
    /// Of the therapist; may be empty.
    pub language: &'a str,
    /// The partner platform; may be empty.
    pub partner: &'a str,
}

/// What is looked for; the validation rules have seen that numbers are in range.
pub fn seek(caller: &Caller, asked: Asked<'_>) -> Result<Seek> {
    let wish = Wish {
        therapist: optional(asked.therapist, |name| TherapistId::parse_name("therapist", name))?,
        sex: sex(asked.sex),
        min_grade: i16::try_from(asked.min_grade).ok().filter(|grade| *grade > 0),
        language: Some(asked.language.to_owned()).filter(|language| !language.is_empty()),
    };
    let is_staff = matches!(caller.kind(), CallerKind::Staff { .. });
    Ok(Seek {
        choice: choice(asked)?,
        guests: asked.party_size.and_then(|size| usize::try_from(size).ok()).unwrap_or(1),
        wish,
        customer: caller.member(),
        by_partner: !asked.partner.is_empty(),
        by_staff: is_staff && asked.partner.is_empty(),
    })
}

fn choice(asked: Asked<'_>) -> Result<Choice> {
    match (asked.item.is_empty(), asked.package.is_empty()) {
        (false, true) => {
            let add_ons = asked.add_ons.iter().enumerate();
            let add_ons = add_ons.map(|(index, name)| ItemId::parse_name(&format!("add_ons[{index}]"), name));
            Ok(Choice::Item(ItemId::parse_name("item", asked.item)?, add_ons.collect::<Result<_>>()?))
        }
        (true, false) if asked.add_ons.is_empty() => {
            Ok(Choice::Package(PackageId::parse_name("package", asked.package)?))
        }
        (true, false) => Err(Error::invalid("add_ons", "go with an item only; leave them out")),
        (true, true) => Err(Error::invalid("item", "must be given, or package")),
        (false, false) => Err(Error::invalid("package", "goes without item; leave one of them out")),
    }
}

/// A time that can be had, for the wire.
pub fn to_slot(slot: &Slot) -> pb::Slot {
    let part = |(guest, item, part): &(usize, ItemId, Part)| pb::slot::Part {
        guest: i32::try_from(*guest).unwrap_or_default(),
        item: item.name(),
        therapist: part.therapist.name(),
        room: part.room.name(),
        equipment: part.equipment.map(RoomId::name).unwrap_or_default(),
        start_time: Some(to_timestamp(instant(part.time.start))),
        end_time: Some(to_timestamp(instant(part.time.end))),
    };
    pb::Slot {
        start_time: Some(to_timestamp(instant(slot.start))),
        end_time: Some(to_timestamp(instant(slot.end))),
        therapist: slot.parts.first().map(|(_, _, part)| part.therapist.name()).unwrap_or_default(),
        therapists: slot.therapists.iter().map(|therapist| therapist.name()).collect(),
        list_price: Some(to_money(slot.list_price)),
        store: StoreId::name(slot.store),
        parts: slot.parts.iter().map(part).collect(),
    }
}

/// Why visits can't start in a span, for the wire.
pub fn to_explanation(explained: &Explained) -> pb::SlotExplanation {
    let reason = |(reason, bookings): &(Reason, Vec<kernel::ids::BookingId>)| pb::slot_explanation::Reason {
        cause: to_cause(reason.cause).into(),
        therapist: reason.therapist.map(|id| TherapistId::from_uuid(id).name()).unwrap_or_default(),
        until_time: reason.until.map(|until| to_timestamp(instant(until))),
        bookings: bookings.iter().map(|booking| booking.name()).collect(),
    };
    pb::SlotExplanation {
        start_time: Some(to_timestamp(instant(explained.span.start))),
        end_time: Some(to_timestamp(instant(explained.span.end))),
        reasons: explained.reasons.iter().map(reason).collect(),
    }
}

fn to_cause(cause: Cause) -> PbCause {
    match cause {
        Cause::Past => PbCause::Past,
        Cause::LeadTime => PbCause::LeadTime,
        Cause::TooFarAhead => PbCause::TooFarAhead,
        Cause::Quota => PbCause::Quota,
        Cause::Closed => PbCause::Closed,
        Cause::NoSkill => PbCause::NoSkill,
        Cause::NotOnShift => PbCause::NotOnShift,
        Cause::Busy => PbCause::Busy,
        Cause::WorkLimit => PbCause::WorkLimit,
        Cause::NoRoom => PbCause::NoRoom,
        Cause::NoEquipment => PbCause::NoEquipment,
    }
}
