//! Stopping what `up` started, and deleting its data.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use provision::Provision;
use runtime::Settings;
use rustix::process::{Pid, Signal, kill_process};

use crate::{folder, say};

/// How long `up` may take beyond its drain timeout: it stops its servers then.
const GRACE: Duration = Duration::from_secs(30);
/// How often it is looked whether it still runs.
const PAUSE: Duration = Duration::from_millis(50);

/// `meridian down`.
pub async fn down(settings: Settings) -> Result<ExitCode> {
    let provision = folder::provision(&settings.data_dir);
    let stopped = stop(&settings, &provision).await?;
    say::line(match stopped {
        true => "Stopped. The data is kept; `meridian up` starts again".to_owned(),
        false => format!("Nothing runs in {}", settings.data_dir.display()),
    });
    Ok(ExitCode::SUCCESS)
}

/// `meridian reset`.
pub async fn reset(settings: Settings, yes: bool) -> Result<ExitCode> {
    let shown = settings.data_dir.display();
    if !settings.data_dir.exists() {
        say::line(format!("There is no data in {shown}"));
        return Ok(ExitCode::SUCCESS);
    }
    if !yes {
        say::error(&format!("this deletes all data in {shown} for good; if you mean it: meridian reset --yes"));
        return Ok(ExitCode::FAILURE);
    }
    let provision = folder::provision(&settings.data_dir);
    stop(&settings, &provision).await?;
    // Nobody may start while the data goes.
    let _right = provision.exclusive()?;
    provision.reset().await?;
    folder::remove(&settings.data_dir)?;
    say::line(format!("The data in {shown} is deleted"));
    if settings.postgres.admin_url.is_some() {
        say::line("The databases on the Postgres of postgres.admin_url are left as they are");
    }
    Ok(ExitCode::SUCCESS)
}

/// Stops a running `up`, or the servers that a killed one has left. Tells whether there was any.
async fn stop(settings: &Settings, provision: &Provision) -> Result<bool> {
    let Some(holder) = provision.holder() else {
        let left = !matches!(provision.running()?, (None, None));
        provision.stop().await?;
        return Ok(left);
    };
    let pid =
        i32::try_from(holder).ok().and_then(Pid::from_raw).context("the lock of the data folder names no process")?;
    say::line(format!("Stopping meridian, process {holder}"));
    kill_process(pid, Signal::TERM)
        .with_context(|| format!("cannot stop process {holder}: stop it as its own user"))?;
    let patience = settings.lifecycle.drain_timeout() + GRACE;
    let deadline = Instant::now() + patience;
    while provision.holder() == Some(holder) {
        if Instant::now() >= deadline {
            bail!("process {holder} still runs after {} s: stop it with `kill -9 {holder}`", patience.as_secs());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(true)
}
