use tokio::signal::unix::{SignalKind, signal};

use super::Tasks;

/// Installs the handlers and waits for signals beside the tasks. It is no task itself: the drain does not wait for it.
pub(super) fn listen(tasks: &Tasks) -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let shutdown = tasks.shutdown().clone();
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = interrupt.recv() => "SIGINT",
                _ = terminate.recv() => "SIGTERM",
            }
        };
        let signal = next().await;
        tracing::info!(signal, "stopping; signal again to stop at once");
        shutdown.begin();
        let signal = next().await;
        tracing::warn!(signal, "stopping at once");
        shutdown.abort();
    });
    Ok(())
}
