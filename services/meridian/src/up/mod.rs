//! The whole suite on one machine: `up`, `down`, `reset`.
//!
//! `up` binds all ports, starts the private servers (unless others are configured), makes the databases, migrates, seeds
//! a demo chain at the first start, and serves everything until it is stopped; then it stops what it started. One `up`
//! at a time works with a data folder; the lock is the kernel's, so none is left after a kill -9.

mod down;
mod welcome;

use std::{process::ExitCode, time::Duration};

use anyhow::{Context, Result, bail};
use provision::{Exclusive, Provision};
use runtime::{Settings, Shutdown, Tasks, config::Service, health::Readiness};

use crate::{
    cli::{Role, SeedOptions},
    folder::Folder,
    migrate, say, seed,
    serve::{self, Launch, Listeners},
};
pub use down::{down, reset};

/// How long the services may take to be ready once they are started.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// `meridian up`.
pub async fn run(settings: Settings) -> Result<ExitCode> {
    let tasks = Tasks::new(Shutdown::new());
    tasks.stop_on_signals()?;
    let Some(suite) = Suite::start(settings, &tasks).await? else {
        say::line("Stopped before all was up; `meridian up` starts again, and seeds anew if that was cut off");
        return Ok(ExitCode::SUCCESS);
    };
    welcome::print(&suite.settings);
    let drain = suite.settings.lifecycle.drain_timeout();
    tasks.shutdown().soft().cancelled().await;
    say::line("Stopping: running requests may end…");
    let outcome = tasks.run(drain).await;
    suite.stop_servers().await?;
    say::line("Stopped. The data is kept; `meridian up` starts again");
    Ok(serve::end(outcome))
}

/// A suite that runs in this process.
#[derive(Debug)]
pub struct Suite {
    /// The settings with everything filled in.
    pub settings: Settings,
    provision: Provision,
    _right: Exclusive,
}

impl Suite {
    /// Starts everything and waits until it is ready. `None` if a stop was asked for meanwhile; then, and after an error,
    /// what was started has been stopped.
    pub async fn start(settings: Settings, tasks: &Tasks) -> Result<Option<Self>> {
        let folder = Folder::open(&settings)?;
        let provision = folder.provision();
        let right = provision.exclusive()?;
        let soft = tasks.shutdown().soft().clone();
        let started = soft.run_until_cancelled(start(settings, &folder, &provision, tasks)).await;
        match started {
            Some(Ok(settings)) => Ok(Some(Self { settings, provision, _right: right })),
            interrupted => {
                if interrupted.is_none() {
                    say::line("Stopping…");
                }
                tasks.shutdown().abort();
                // Nobody shall still work with the servers when they go.
                let _ = tasks.run(Duration::ZERO).await;
                let stopped = provision.stop().await;
                // Why it could not start matters more than that it could not stop either.
                interrupted.transpose()?;
                stopped?;
                Ok(None)
            }
        }
    }

    /// Stops the private servers, if they run.
    pub async fn stop_servers(&self) -> Result<()> {
        Ok(self.provision.stop().await?)
    }
}

async fn start(mut settings: Settings, folder: &Folder, provision: &Provision, tasks: &Tasks) -> Result<Settings> {
    // `up` is a trial: what is sent to people can be read over the API.
    settings.demo.mailbox = true;
    folder.fill_keys(&mut settings);
    let policies = serve::check(&settings)?;
    // First of all the ports: it is better to hear of a taken one now than after minutes of seeding.
    let listeners = Listeners::bind(&mut settings, Role::All, true).await?;

    say::line(match &settings.postgres.admin_url {
        Some(_) => "Making databases on the Postgres of postgres.admin_url",
        None => "Starting a private Postgres",
    });
    folder.fill_databases(&mut settings, provision).await?;
    if settings.redis.url.is_none() {
        say::line("Starting a private Redis");
        folder.fill_redis(&mut settings, provision).await?;
    }
    migrate::apply(&settings).await?;
    seed::ensure(&settings, SeedOptions::default()).await?;

    say::line("Starting the services");
    let readiness = serve::start(settings.clone(), policies, listeners, Launch::live(tasks.clone())).await?;
    wait_until_ready(&readiness).await?;
    Ok(settings)
}

/// Waits until every service is ready.
pub async fn wait_until_ready(readiness: &Readiness) -> Result<()> {
    let mut changes = readiness.changes();
    let ready = async {
        while !readiness.unready().is_empty() {
            changes.changed().await.context("nobody tells what is ready any more")?;
        }
        anyhow::Ok(())
    };
    match tokio::time::timeout(READY_WITHIN, ready).await {
        Ok(ready) => ready,
        Err(_) => {
            let unready: Vec<String> = readiness
                .unready()
                .iter()
                .map(|part| format!("{} ({}: {})", part.component, part.part, part.why))
                .collect();
            bail!("after {} seconds not all is ready: {}", READY_WITHIN.as_secs(), unready.join(", "))
        }
    }
}

/// The addresses at which the services listen, for people.
fn addresses(settings: &Settings) -> impl Iterator<Item = (Service, String)> + '_ {
    Service::ALL.into_iter().map(|service| (service, settings.service(service).grpc_addr.to_string()))
}
