//! What the chain offers: stores, items, therapists, rooms and shifts.

use jiff::SignedDuration;
use kernel::{
    Currency, Error, Money, Result, Timestamp,
    ids::{ItemId, RoomId, ShiftId, StoreId, TherapistId},
};

use super::{hours::OpeningHours, span::is_whole_minute, visit::Phase};

/// A shop of the chain.
#[derive(Debug, Clone, PartialEq)]
pub struct Store {
    /// Its id.
    pub id: StoreId,
    /// What people call it.
    pub display_name: String,
    /// Street address.
    pub address: String,
    /// Latitude and longitude in degrees (WGS 84).
    pub position: Option<(f64, f64)>,
    /// IANA name; known to exist.
    pub time_zone: String,
    /// When it is open, each week.
    pub opening_hours: Vec<OpeningHours>,
    /// What it charges in.
    pub currency: Currency,
    /// When it was opened in the system.
    pub create_time: Timestamp,
}

/// Something that can be booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its id.
    pub id: ItemId,
    /// What people call it.
    pub display_name: String,
    /// What it does for one.
    pub description: String,
    /// Group in the menu.
    pub category: String,
    /// Minutes of treatment.
    pub duration_minutes: i32,
    /// Minutes that the room is needed before.
    pub preparation_minutes: i32,
    /// Minutes that the room is needed after.
    pub cleanup_minutes: i32,
    /// Price before reductions.
    pub price: Money,
    /// The skill that a therapist must have.
    pub skill: String,
    /// The kind of room that it takes.
    pub room_kind: String,
    /// The kind of machine that it takes besides.
    pub equipment_kind: Option<String>,
    /// The certificate that a therapist must hold besides.
    pub certificate: Option<String>,
    /// Who and what it needs when; if empty it follows from the duration, preparation and cleaning.
    pub phases: Vec<Phase>,
    /// When it was added.
    pub create_time: Timestamp,
}

/// A person's sex, for customers who wish for a woman or a man.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sex {
    /// Not stated.
    #[default]
    Unspecified,
    /// A woman.
    Female,
    /// A man.
    Male,
}

/// Somebody who gives treatments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Therapist {
    /// His id.
    pub id: TherapistId,
    /// Where he works.
    pub store: StoreId,
    /// The name that customers see.
    pub display_name: String,
    /// His sex.
    pub sex: Sex,
    /// 1 (junior) to 5 (master).
    pub grade: i16,
    /// What he can do.
    pub skills: Vec<String>,
    /// When he was taken on.
    pub create_time: Timestamp,
}

/// A room, bed or machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Its id.
    pub id: RoomId,
    /// Where it is.
    pub store: StoreId,
    /// What staff call it.
    pub display_name: String,
    /// What it is for.
    pub kind: String,
    /// When it was added.
    pub create_time: Timestamp,
}

/// A span of time in which a therapist works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// Its id.
    pub id: ShiftId,
    /// Who works.
    pub therapist: TherapistId,
    /// Where.
    pub store: StoreId,
    /// From when.
    pub start_time: Timestamp,
    /// Until when.
    pub end_time: Timestamp,
}

/// The longest shift that can be entered; the law's limits on work are far below.
const LONGEST_SHIFT: SignedDuration = SignedDuration::from_hours(16);

/// Refuses a shift that ends before it starts, is longer than 16 hours or does not keep to whole minutes.
pub fn check_shift(start_time: Timestamp, end_time: Timestamp) -> Result<()> {
    for (field, at) in [("shift.start_time", start_time), ("shift.end_time", end_time)] {
        if !is_whole_minute(at) {
            return Err(Error::invalid(field, "must be a whole minute; leave out seconds"));
        }
    }
    let length = end_time.duration_since(start_time);
    if length <= SignedDuration::ZERO {
        return Err(Error::invalid("shift.end_time", "must be later than shift.start_time"));
    }
    if length > LONGEST_SHIFT {
        return Err(Error::invalid(
            "shift.end_time",
            "must be at most 16 hours after shift.start_time; make two shifts",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_must_be_a_plausible_span_of_whole_minutes() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a timestamp");
        let field = |start, end| check_shift(at(start), at(end)).err().map(|e| e.violations()[0].field.clone());
        assert_eq!(field("2026-11-22T22:00:00Z", "2026-11-23T06:00:00Z"), None);
        assert_eq!(field("2026-11-22T22:00:00Z", "2026-11-22T22:00:00Z").as_deref(), Some("shift.end_time"));
        assert_eq!(field("2026-11-22T00:00:00Z", "2026-11-22T16:01:00Z").as_deref(), Some("shift.end_time"));
        assert_eq!(field("2026-11-22T00:00:30Z", "2026-11-22T08:00:00Z").as_deref(), Some("shift.start_time"));
    }
}
