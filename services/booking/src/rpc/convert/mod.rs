//! Wire ↔ domain.

mod booking;
pub mod calendar;
mod edit;
pub mod group;
mod item;
mod package;
pub mod preference;
mod room;
pub mod roster;
pub mod rotation;
pub mod slots;
mod store;
mod therapist;
mod time;
pub mod waitlist;
pub mod walk_in;

pub use booking::{channel, state, to_booking, to_channel, to_state};
pub use edit::{Edit, Editable, View};
pub use item::{daypart, item, to_item};
pub use package::{package, to_package};
pub use room::{room, to_room};
pub use store::{near, store, to_licence_kind, to_store};
pub use therapist::{sex, therapist, to_therapist};
pub use time::to_date;

use kernel::{Result, Uuid};

/// Reads a resource name that may be missing.
pub fn optional<T>(name: &str, parse: impl FnOnce(&str) -> Result<T>) -> Result<Option<T>> {
    if name.is_empty() { Ok(None) } else { parse(name).map(Some) }
}

/// Reads the request id; the validation rules have seen that it is a UUID.
pub fn request_id(text: &str) -> Result<Uuid> {
    kernel::ids::parse_uuid("request_id", text)
}

/// A text that may be missing.
pub fn text(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}
