//! Threads of one's own, as a process would have.

use anyhow::{Context, Result};
use tokio::runtime::{Builder, Runtime};

/// A runtime with as many threads as the machine has cores. What runs on it ends with this value.
pub struct Threads(Option<Runtime>);

impl Threads {
    /// Starts them.
    pub fn start(name: &'static str) -> Result<Self> {
        let runtime = Builder::new_multi_thread().thread_name(name).enable_all().build();
        Ok(Self(Some(runtime.context("cannot start threads")?)))
    }

    /// Does work there.
    pub async fn run<T: Send + 'static>(&self, work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
        let runtime = self.0.as_ref().context("the threads have ended")?;
        runtime.spawn(work).await?
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // A runtime must not wait for its tasks inside another.
            runtime.shutdown_background();
        }
    }
}
