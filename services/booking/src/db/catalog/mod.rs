//! Stores, items, packages, therapists and rooms.

mod item;
mod licence;
mod package;
mod room;
mod store;
mod store_details;
mod strand;
mod therapist;

pub use item::{
    ItemFilter, get_item, get_items, insert_item, item_cancellations, items_added_to, list_items,
    put_item_cancellations, update_item,
};
pub use licence::{LapsingLicence, licences_to_tell, told};
pub use package::{get_package, insert_package, list_packages, packages_with, update_package};
pub use room::{RoomFilter, get_room, has_beds, insert_room, list_rooms, room_kind, update_room};
pub use store::{get_store, get_stores, insert_store, list_stores, positions, update_store};
pub use store_details::{put_store_details, store_details};
pub use strand::{LivePart, Which, live_parts};
pub use therapist::{
    TherapistFilter, get_therapist, get_therapists, insert_therapist, list_therapists, sex, sex_code, update_therapist,
};

use jiff::civil::Date;
use kernel::Uuid;

/// Where a list by name goes on: after this name and id.
pub type AfterName = Option<(String, Uuid)>;

/// Reads a date of a JSON aggregate.
fn date(table: &'static str, row: impl ToString, text: &str) -> pg::Result<Date> {
    text.parse().map_err(|_| pg::Error::inconsistent(table, row, "no date"))
}

/// A number that the schema keeps from being too large for its type in the domain.
fn narrow<T: TryFrom<i64>>(table: &'static str, row: impl ToString, number: i64) -> pg::Result<T> {
    T::try_from(number).map_err(|_| pg::Error::inconsistent(table, row, "a number out of range"))
}
