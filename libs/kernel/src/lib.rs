//! What every part of Meridian agrees on: ids, money, time and errors.
//!
//! Nothing here knows a transport, a database or an async runtime; `domain/` modules of the services build on this
//! crate alone.
//!
//! | module | holds |
//! |---|---|
//! | [`ids`] | one newtype per kind of thing, UUID v7 inside, AIP resource names outside |
//! | [`money`] | integer minor units with a currency; checked arithmetic; exact splitting |
//! | [`clock`] | where the time comes from |
//! | [`error`] | the one short list of error kinds, with public text apart from internal cause |
//! | [`crash`] | named places at which a test may end the process |

pub mod clock;
pub mod crash;
pub mod error;
pub mod ids;
pub mod money;

pub use clock::{Clock, SharedClock, SystemClock};
pub use error::{Error, ErrorKind, FieldViolation, Result};
pub use jiff::Timestamp;
pub use money::{Currency, Money};
pub use uuid::Uuid;
