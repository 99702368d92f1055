//! Keeps callers from waiting for a Redis that does not answer.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// How many failures in a row open it.
const FAILURES: u32 = 3;
/// How long it stays open; then one call tries, and the others wait for how that ends.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Clone, Default)]
pub(crate) struct Breaker(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    failures: u32,
    open_until: Option<Instant>,
}

impl Breaker {
    /// Whether a call may be made now.
    pub(crate) fn admits(&self) -> bool {
        let mut state = self.state();
        match state.open_until {
            None => true,
            Some(until) if Instant::now() < until => false,
            Some(_) => {
                // This caller tries; should it vanish without a word, the next may after another pause.
                state.open_until = Some(Instant::now() + PAUSE);
                true
            }
        }
    }

    /// A call was answered.
    pub(crate) fn succeeded(&self) {
        let mut state = self.state();
        if state.open_until.is_some() {
            tracing::info!("redis answers again; slot locks are used");
        }
        *state = State::default();
    }

    /// A call was not answered.
    pub(crate) fn failed(&self, why: impl fmt::Display) {
        let mut state = self.state();
        state.failures = state.failures.saturating_add(1);
        if state.failures < FAILURES {
            return;
        }
        if state.open_until.is_none() {
            tracing::warn!(why = %why, "redis is of no help; slot locks are skipped");
        }
        state.open_until = Some(Instant::now() + PAUSE);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_three_failures_in_a_row() {
        let breaker = Breaker::default();
        for _ in 0..2 {
            breaker.failed("down");
        }
        breaker.succeeded();
        for _ in 0..2 {
            breaker.failed("down");
            assert!(breaker.admits());
        }
        breaker.failed("down");
        assert!(!breaker.admits());
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_pause_one_call_tries_and_its_end_decides() {
        let breaker = Breaker::default();
        (0..3).for_each(|_| breaker.failed("down"));
        tokio::time::advance(PAUSE).await;
        assert!(breaker.admits());
        assert!(!breaker.admits(), "only one tries");
        breaker.failed("still down");
        assert!(!breaker.admits());
        tokio::time::advance(PAUSE).await;
        assert!(breaker.admits());
        breaker.succeeded();
        assert!(breaker.admits() && breaker.admits());
    }
}
