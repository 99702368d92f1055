//! Where the time comes from. Flows get a [`SharedClock`]; `domain/` functions get `now` as an argument.

use std::{fmt, sync::Arc};

use jiff::Timestamp;

/// A source of the current time. Tests inject one that they move by hand.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The current instant in UTC, truncated to microseconds, which is what Postgres keeps.
    fn now(&self) -> Timestamp;
}

/// The clock as it is passed around.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place where the machine's clock is read")]
    fn now(&self) -> Timestamp {
        truncate(Timestamp::now())
    }
}

/// Cuts an instant to whole microseconds, so that a value is the same before and after it was stored.
pub fn truncate(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_has_no_nanoseconds() {
        assert_eq!(SystemClock.now().as_nanosecond() % 1_000, 0);
    }
}
