//! Waiting for what happens by itself.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::Instant;

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The pauses between two looks: short at first, since most things happen at once.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(100));

/// Asks until there is an answer.
///
/// # Errors
/// When asking fails, or when there was no answer for half a minute; then `what` is named.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + PATIENCE;
    let mut pause = PAUSES.0;
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        if Instant::now() >= deadline {
            bail!("{what} did not happen within {} s", PATIENCE.as_secs());
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_asks_until_there_is_an_answer() {
        let mut asked = 0;
        let answer = until("it", async || {
            asked += 1;
            Ok((asked == 3).then_some("yes"))
        });
        assert_eq!(answer.await.unwrap(), "yes");
    }

    #[tokio::test]
    async fn a_failure_is_not_waited_out() {
        assert!(until("it", async || anyhow::Result::<Option<()>>::Err(anyhow::anyhow!("no"))).await.is_err());
    }
}
