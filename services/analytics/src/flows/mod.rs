//! One use case a file.

mod booking_events;
mod marketing_events;
mod membership_events;
mod payment_events;

pub mod list_daily_figures;
pub mod list_feed_positions;
pub mod rebuild;
pub mod record_event;

use kernel::Result;

/// A resource name that may be empty.
fn optional<T>(field: &str, name: &str, parse: impl FnOnce(&str, &str) -> Result<T>) -> Result<Option<T>> {
    if name.is_empty() { Ok(None) } else { parse(field, name).map(Some) }
}
