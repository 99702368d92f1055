//! Starting, stopping and what runs in between.
//!
//! A stop has two steps. **Soft**: nothing new is taken on, what runs may end; a signal, a failed task or the program
//! itself asks for it. **Hard**: what still runs after the drain timeout, or when a second signal comes, is dropped.
//! Every long-lived task is spawned through [`Tasks`], so none is forgotten at the end and none dies unseen.

mod outcome;
mod signals;
mod worker;

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures_util::FutureExt;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;

pub use outcome::Outcome;
pub use worker::Next;

/// How long tasks have to notice a hard stop.
const HARD_GRACE: Duration = Duration::from_secs(1);

/// The two steps of a stop. Clones are the same stop.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    soft: CancellationToken,
    hard: CancellationToken,
}

impl Shutdown {
    /// A stop that nobody has asked for yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancelled when nothing new shall be taken on.
    pub fn soft(&self) -> &CancellationToken {
        &self.soft
    }

    /// Cancelled when what still runs is dropped.
    pub fn hard(&self) -> &CancellationToken {
        &self.hard
    }

    /// Asks for a soft stop.
    pub fn begin(&self) {
        self.soft.cancel();
    }

    /// Asks for a hard stop.
    pub fn abort(&self) {
        self.soft.cancel();
        self.hard.cancel();
    }
}

/// The long-lived tasks of a process. Clones are the same set.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    shutdown: Shutdown,
    failure: Arc<OnceLock<String>>,
}

impl Tasks {
    /// No tasks yet; they end with `shutdown`.
    pub fn new(shutdown: Shutdown) -> Self {
        Self { tracker: TaskTracker::new(), shutdown, failure: Arc::default() }
    }

    /// The stop that ends these tasks.
    pub fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }

    /// The tracker, for libraries that spawn by themselves.
    pub fn tracker(&self) -> &TaskTracker {
        &self.tracker
    }

    /// Spawns a task that may end at any time. It should watch the soft stop; a hard stop drops it. A panic is logged
    /// and stops nothing else.
    pub fn spawn(&self, name: impl Into<Arc<str>>, task: impl Future<Output = ()> + Send + 'static) {
        let (name, hard) = (name.into(), self.shutdown.hard.clone());
        let span = tracing::debug_span!("task", name = %name);
        self.tracker.spawn(
            async move {
                tokio::select! {
                    biased;
                    () = hard.cancelled() => {}
                    ended = AssertUnwindSafe(task).catch_unwind() => if let Err(panic) = ended {
                        tracing::error!(task = %name, panic = panic_text(&*panic), "task panicked");
                    },
                }
            }
            .instrument(span),
        );
    }

    /// Spawns a task that has nothing to bring to an end: a soft stop drops it.
    pub fn spawn_until_stop(&self, name: impl Into<Arc<str>>, task: impl Future<Output = ()> + Send + 'static) {
        let soft = self.shutdown.soft.clone();
        self.spawn(name, async move {
            tokio::select! {
                () = soft.cancelled() => {}
                () = task => {}
            }
        });
    }

    /// Spawns a task that the process cannot do without, such as a server. If it panics, fails, or ends before a stop
    /// was asked for, the process is stopped softly and [`Tasks::run`] reports the failure.
    pub fn spawn_essential<E: std::fmt::Display>(
        &self,
        name: impl Into<Arc<str>>,
        task: impl Future<Output = Result<(), E>> + Send + 'static,
    ) {
        let (name, tasks) = (name.into(), self.clone());
        self.spawn(name.clone(), async move {
            let why = match AssertUnwindSafe(task).catch_unwind().await {
                Ok(Ok(())) if tasks.shutdown.soft.is_cancelled() => return,
                Ok(Ok(())) => "ended before it was asked to".to_owned(),
                Ok(Err(error)) => error.to_string(),
                Err(panic) => format!("panicked: {}", panic_text(&*panic)),
            };
            tracing::error!(task = %name, why, "essential task failed; stopping");
            tasks.fail(format!("{name}: {why}"));
        });
    }

    /// Stops the process softly because of `why`. The first reason is the one that is reported.
    pub fn fail(&self, why: String) {
        let _ = self.failure.set(why);
        self.shutdown.begin();
    }

    /// Listens for SIGINT and SIGTERM: the first is a soft stop, the second a hard one.
    ///
    /// # Errors
    /// When the handlers cannot be installed.
    pub fn stop_on_signals(&self) -> std::io::Result<()> {
        signals::listen(self)
    }

    /// Waits for a soft stop, then for the tasks to end, `drain` at the most; what is left is dropped.
    pub async fn run(&self, drain: Duration) -> Outcome {
        self.shutdown.soft.cancelled().await;
        self.tracker.close();
        let drained = tokio::select! {
            () = self.tracker.wait() => true,
            () = self.shutdown.hard.cancelled() => false,
            () = tokio::time::sleep(drain) => false,
        };
        let aborted = self.shutdown.hard.is_cancelled();
        self.shutdown.abort();
        if !drained && tokio::time::timeout(HARD_GRACE, self.tracker.wait()).await.is_err() {
            tracing::warn!(tasks = self.tracker.len(), "tasks ignored the hard stop");
        }
        match self.failure.get() {
            Some(why) => Outcome::Failed(why.clone()),
            // Tasks that a hard stop dropped look as if they had ended by themselves.
            None if aborted => Outcome::Aborted,
            None if !drained => Outcome::TimedOut,
            None => Outcome::Clean,
        }
    }
}

/// What a panic said.
fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text")
}

#[cfg(test)]
mod tests;
