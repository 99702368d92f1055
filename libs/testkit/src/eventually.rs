//! Waiting for what happens by itself.

use std::{fmt::Debug, panic::Location, time::Duration};

use tokio::time::{Instant, sleep};

const POLL: Duration = Duration::from_millis(10);

/// What a polled condition may answer: `bool`, `Option` (wait for `Some`) or `Result` (wait for `Ok`).
pub trait Condition {
    /// What comes out when it is met.
    type Value;

    /// The value, or why it isn't met yet.
    fn met(self) -> Result<Self::Value, String>;
}

impl Condition for bool {
    type Value = ();

    fn met(self) -> Result<(), String> {
        if self { Ok(()) } else { Err("it was false".to_owned()) }
    }
}

impl<T> Condition for Option<T> {
    type Value = T;

    fn met(self) -> Result<T, String> {
        self.ok_or_else(|| "it was None".to_owned())
    }
}

impl<T, E: Debug> Condition for Result<T, E> {
    type Value = T;

    fn met(self) -> Result<T, String> {
        self.map_err(|error| format!("the last error was {error:?}"))
    }
}

/// Polls `condition` until it is met and returns its value; after `patience` panics with the place of the call and the
/// last answer.
#[track_caller]
pub fn eventually<C, F>(patience: Duration, mut condition: impl FnMut() -> F) -> impl Future<Output = C::Value>
where
    C: Condition,
    F: Future<Output = C>,
{
    let place = Location::caller();
    async move {
        let deadline = Instant::now() + patience;
        loop {
            match condition().await.met() {
                Ok(value) => return value,
                Err(why) if Instant::now() >= deadline => {
                    panic!("the condition at {place} was not met within {patience:?}: {why}")
                }
                Err(_) => sleep(POLL).await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn it_waits_for_the_value() {
        let calls = Cell::new(0);
        let third = || async {
            calls.set(calls.get() + 1);
            (calls.get() == 3).then_some(calls.get())
        };
        assert_eq!(eventually(Duration::from_secs(5), third).await, 3);
    }

    #[tokio::test]
    #[should_panic(expected = "src/eventually.rs")]
    async fn it_says_where_and_why_it_gave_up() {
        eventually(Duration::from_millis(20), || async { Err::<(), _>("no") }).await;
    }
}
