//! What the chain offers: stores, items, therapists and rooms.

use kernel::{
    Currency, Money, Timestamp,
    ids::{ItemId, RoomId, StoreId, TherapistId},
};

use super::{hours::OpeningHours, visit::Phase};

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
