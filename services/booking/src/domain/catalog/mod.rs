//! What the chain offers: stores, items, packages, therapists and rooms.

mod item;
mod package;
mod room;
mod store;
mod therapist;

pub use item::{Item, ItemCancellation, check_add_on};
pub use package::{Package, check_package};
pub use room::{Room, check_parent};
pub use store::{Store, StoreDetails};
pub use therapist::{Certificate, Sex, Therapist};

use kernel::{Error, Result, Timestamp};

/// What is retired can't be edited.
///
/// Fails with `FailedPrecondition`, reason RETIRED, if it is.
pub fn check_in_use(retire_time: Option<Timestamp>) -> Result<()> {
    match retire_time {
        None => Ok(()),
        Some(at) => Err(Error::precondition("RETIRED", "this is retired and stays as it is; make a new one")
            .with("retire_time", at)),
    }
}
