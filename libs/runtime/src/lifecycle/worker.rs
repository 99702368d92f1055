//! Worker loops: a step that is run again and again.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio::sync::watch;

use super::{Tasks, panic_text};
use crate::metrics;

/// The longest pause after failures.
const MAX_BACKOFF: Duration = Duration::from_secs(30);
/// The shortest pause after a failure.
const MIN_BACKOFF: Duration = Duration::from_millis(200);

/// When a worker's next step is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// At once: there is more to do than one step took on.
    Now,
    /// After the loop's period, or when it is woken.
    Wait,
}

impl Next {
    /// `Now` if a step that takes on `limit` things at the most was full.
    pub fn after_batch(done: usize, limit: usize) -> Self {
        if done >= limit { Self::Now } else { Self::Wait }
    }
}

impl Tasks {
    /// Spawns a worker that runs `step` every `every`, and besides whenever `wake` changes, until a soft stop. A step
    /// that runs then is waited for.
    ///
    /// A step that fails or panics is run again after a pause that doubles up to 30 seconds; wake-ups do not shorten
    /// it. The first failure in a row and the recovery are logged, and each pause at its length.
    pub fn spawn_loop<F, Fut>(
        &self,
        name: impl Into<Arc<str>>,
        every: Duration,
        wake: Option<watch::Receiver<u64>>,
        step: F,
    ) where
        F: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output = kernel::Result<Next>> + Send,
    {
        let name = name.into();
        let worker = Worker { name: name.clone(), every, wake, failures: 0 };
        let soft = self.shutdown().soft().clone();
        self.spawn(name, async move {
            let mut worker = worker;
            let mut step = step;
            while !soft.is_cancelled() {
                if let Some(wake) = &mut worker.wake {
                    // What comes during the step must wake the loop after it.
                    wake.mark_unchanged();
                }
                let next = worker.attempt(&mut step).await;
                tokio::select! {
                    () = soft.cancelled() => return,
                    () = worker.pause(next) => {}
                }
            }
        });
    }
}

struct Worker {
    name: Arc<str>,
    every: Duration,
    wake: Option<watch::Receiver<u64>>,
    failures: u32,
}

impl Worker {
    /// One step; `None` if it failed.
    async fn attempt<F, Fut>(&mut self, step: &mut F) -> Option<Next>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = kernel::Result<Next>>,
    {
        let result = AssertUnwindSafe(async { step().await }).catch_unwind().await;
        let error = match result {
            Ok(Ok(next)) => {
                if self.failures > 0 {
                    tracing::info!(worker = %self.name, failures = self.failures, "worker recovered");
                }
                self.failures = 0;
                return Some(next);
            }
            Ok(Err(error)) => error.chain(),
            Err(panic) => format!("panicked: {}", panic_text(&*panic)),
        };
        self.failures = self.failures.saturating_add(1);
        metrics::worker_failures(&self.name).inc();
        let pause_ms = u64::try_from(self.backoff().as_millis()).unwrap_or(u64::MAX);
        tracing::warn!(worker = %self.name, failures = self.failures, pause_ms, error, "worker step failed");
        None
    }

    fn backoff(&self) -> Duration {
        let doublings = self.failures.saturating_sub(1).min(16);
        self.every.clamp(MIN_BACKOFF, MAX_BACKOFF).saturating_mul(1 << doublings).min(MAX_BACKOFF)
    }

    async fn pause(&mut self, next: Option<Next>) {
        match next {
            None => tokio::time::sleep(self.backoff()).await,
            // A busy worker must not keep the others of its thread from their turn.
            Some(Next::Now) => tokio::task::yield_now().await,
            Some(Next::Wait) => {
                tokio::select! {
                    () = tokio::time::sleep(self.every) => {}
                    () = woken(&mut self.wake) => {}
                }
            }
        }
    }
}

/// Resolves when there is news; never, if there is nobody who could tell.
async fn woken(wake: &mut Option<watch::Receiver<u64>>) {
    if let Some(receiver) = wake
        && receiver.changed().await.is_ok()
    {
        return;
    }
    *wake = None;
    std::future::pending().await
}
