//! One visit through the gateway, step by step, as a customer, a front desk and a therapist would take it.
//!
//! It talks HTTP/JSON only. It starts the suite if it does not run, and stops what it started.

pub mod api;
mod visit;

use std::process::ExitCode;

use anyhow::{Result, bail};
use runtime::{Settings, Shutdown, Tasks};

use crate::{say, up::Suite};
use api::Api;

/// `meridian demo`.
pub async fn run(settings: Settings) -> Result<ExitCode> {
    let api = Api::try_new(&settings)?;
    if api.is_up().await {
        visit::take(&api, &settings).await?;
        return Ok(ExitCode::SUCCESS);
    }
    say::line(format!("Nothing answers at {}: starting the suite", api.base()));
    let tasks = Tasks::new(Shutdown::new());
    tasks.stop_on_signals()?;
    let drain = settings.lifecycle.drain_timeout();
    let Some(suite) = Suite::start(settings, &tasks).await? else { bail!("stopped before the demo began") };
    let soft = tasks.shutdown().soft().clone();
    let taken = soft.run_until_cancelled(visit::take(&api, &suite.settings)).await;
    tasks.shutdown().begin();
    let outcome = tasks.run(drain).await;
    suite.stop_servers().await?;
    match taken {
        Some(taken) => taken?,
        None => bail!("stopped before the demo was over"),
    }
    say::line("The suite that was started for it is stopped again");
    Ok(crate::serve::end(outcome))
}
