//! Wire ↔ domain of turn lists.

use kernel::{Error, Result, ids::StoreId};
use proto::booking::v1 as pb;
use rpc::convert::to_timestamp;

use crate::domain::assignment::rotation::{Cause, Entry, Refusal, Rules};

/// The resource name of a store's turn list.
pub fn name(store: StoreId) -> String {
    format!("{}/rotation", store.name())
}

/// Reads the resource name of a turn list that came in as `field`.
pub fn store(field: &str, name: &str) -> Result<StoreId> {
    name.strip_suffix("/rotation")
        .and_then(|store| StoreId::parse_name(field, store).ok())
        .ok_or_else(|| Error::invalid(field, "must be a resource name of the form stores/<uuid>/rotation"))
}

/// The rules of a turn list.
pub fn rules(rules: &pb::RotationRules) -> Result<Rules> {
    use pb::rotation_rules::Refusal as Pb;
    let turns = u16::try_from(rules.refusal_turns).unwrap_or_default();
    let refusal = match (rules.refusal(), turns) {
        (Pb::Stay, 0) => Refusal::Stay,
        (Pb::Unspecified | Pb::ToEnd, 0) => Refusal::ToEnd,
        (Pb::Turns, 1..) => Refusal::Turns(turns),
        (Pb::Turns, 0) => {
            return Err(Error::invalid("rules.refusal_turns", "must be from 1 to 100 if a refusal costs turns"));
        }
        _ => return Err(Error::invalid("rules.refusal_turns", "must be 0 unless rules.refusal is REFUSAL_TURNS")),
    };
    Ok(Rules { requested_counts: rules.requested_counts, refusal })
}

/// Rules for the wire.
pub fn to_rules(rules: Rules) -> pb::RotationRules {
    use pb::rotation_rules::Refusal as Pb;
    let (refusal, turns) = match rules.refusal {
        Refusal::Stay => (Pb::Stay, 0),
        Refusal::ToEnd => (Pb::ToEnd, 0),
        Refusal::Turns(turns) => (Pb::Turns, turns),
    };
    pb::RotationRules {
        requested_counts: rules.requested_counts,
        refusal: refusal.into(),
        refusal_turns: i32::from(turns),
    }
}

/// A change of a turn list for the wire.
pub fn to_entry(entry: &Entry) -> pb::RotationLogEntry {
    pb::RotationLogEntry {
        version: entry.version,
        cause: to_cause(entry.change.cause).into(),
        therapist: entry.change.therapist.name(),
        place_before: place(entry.change.before),
        place_after: place(entry.change.after),
        skipped: entry.change.skipped,
        booking: entry.booking.map(|booking| booking.name()).unwrap_or_default(),
        actor: entry.actor.clone(),
        reason: entry.reason.clone(),
        create_time: Some(to_timestamp(entry.create_time)),
    }
}

/// A place for the wire; 0 is off the list.
pub fn place(place: Option<usize>) -> i32 {
    place.map_or(0, |place| i32::try_from(place).unwrap_or(i32::MAX))
}

fn to_cause(cause: Cause) -> pb::rotation_log_entry::Cause {
    use pb::rotation_log_entry::Cause as Pb;
    match cause {
        Cause::Join => Pb::Join,
        Cause::Leave => Pb::Leave,
        Cause::ShiftStart => Pb::ShiftStart,
        Cause::Turn => Pb::Turn,
        Cause::Requested => Pb::Requested,
        Cause::TurnReturned => Pb::TurnReturned,
        Cause::Skip => Pb::Skip,
        Cause::Resume => Pb::Resume,
        Cause::Refusal => Pb::Refusal,
        Cause::Move => Pb::Move,
    }
}
