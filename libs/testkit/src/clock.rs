//! Time that stands still until a test moves it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use kernel::{Clock, Timestamp};

/// When tests begin: Monday, 1 March 2027, 01:00 UTC, which is 09:00 in Shanghai.
pub const START: Timestamp = Timestamp::constant(1_803_862_800, 0);

/// A clock that is moved by hand.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at `at`, cut to microseconds.
    pub fn new(at: Timestamp) -> Self {
        Self(AtomicI64::new(at.as_microsecond()))
    }

    /// Moves the clock to `at`, also backwards.
    pub fn set(&self, at: Timestamp) {
        self.0.store(at.as_microsecond(), Ordering::SeqCst);
    }

    /// Moves the clock forwards; returns the new time.
    pub fn advance(&self, by: Duration) -> Timestamp {
        let micros = i64::try_from(by.as_micros()).expect("a span that a clock can move by");
        let before = self.0.fetch_add(micros, Ordering::SeqCst);
        Timestamp::from_microsecond(before + micros).expect("a time that exists")
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.load(Ordering::SeqCst)).expect("a time that exists")
    }
}

/// A clock that stands at [`START`].
pub fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(START))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_moves_by_hand_only() {
        assert_eq!(START.to_string(), "2027-03-01T01:00:00Z");
        let clock = clock();
        assert_eq!(clock.now(), START);
        assert_eq!(clock.advance(Duration::from_secs(90)), clock.now());
        assert_eq!(clock.now().duration_since(START).as_secs(), 90);
        clock.set(START);
        assert_eq!(clock.now(), START);
    }
}
