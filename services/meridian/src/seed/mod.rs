//! A demo chain whose history is lived, not written.
//!
//! The services run in this process with a clock that is moved through the last 30 days, and everything that happens goes
//! through their RPCs: people register, book, pay, come, and pay the rest. So bookings, ledger, points, tiers, coupons and
//! figures are true, and nothing here knows a table.
//!
//! | module | holds |
//! |---|---|
//! | [`chain`] | what does not depend on chance: stores, menu, rooms, accounts |
//! | [`plan`] | what happens when, from a seed and the day it is |
//! | [`dice`] | chance that is the same for the same seed |
//! | [`suite`] | the services in this process, at another time |
//! | [`opening`] | the chain opens: catalogue, shifts, accounts |
//! | [`life`] | the days go by |
//! | [`progress`] | how far a seeding has come, in the databases themselves |
//! | [`settled`] | waiting until every service has heard of everything |

mod chain;
mod clock;
mod dice;
mod life;
mod opening;
mod plan;
mod progress;
mod settled;
mod suite;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use kernel::{Clock as _, SystemClock};
use provision::Provision;
use runtime::{Settings, Shutdown, Tasks, config::Service};

pub use chain::{ADMINISTRATOR, PASSWORD, STORES, sign_ins};

use crate::{cli::SeedOptions, folder::Folder, migrate, say, serve};
use life::Life;
use plan::Plan;
use progress::Progress;
use suite::Suite;

/// `meridian seed`: the configured databases, or those of the data folder.
pub async fn run(mut settings: Settings, options: SeedOptions) -> Result<ExitCode> {
    if Service::ALL.into_iter().any(|service| settings.service(service).database_url.is_some()) {
        for service in Service::ALL {
            settings.service(service).database_url(service)?;
        }
        settings.auth.master_key()?;
        serve::check(&settings)?;
        migrate::apply(&settings).await?;
        return seed(&settings, options).await;
    }
    let folder = Folder::open(&settings)?;
    folder.fill_keys(&mut settings);
    serve::check(&settings)?;
    let provision = folder.provision();
    let ran_before = provision.running()?.0.is_some();
    let stop = Tasks::new(Shutdown::new());
    stop.stop_on_signals()?;
    let seeded = stop.shutdown().soft().run_until_cancelled(seed_folder(&mut settings, &folder, &provision, options));
    let seeded = seeded.await;
    if !ran_before {
        provision.stop().await?;
    }
    seeded.unwrap_or_else(|| bail!("stopped before the seeding was complete; the next one starts over"))
}

async fn seed_folder(
    settings: &mut Settings,
    folder: &Folder,
    provision: &Provision,
    options: SeedOptions,
) -> Result<ExitCode> {
    folder.fill_databases(settings, provision).await?;
    if let Some(process) = provision.holder() {
        // A suite seeds when it starts; nobody else may then.
        if progress::find(settings).await? != Progress::Done {
            bail!(
                "process {process} works with {}: wait, or stop it with `meridian down`",
                settings.data_dir.display()
            );
        }
        return seed(settings, options).await;
    }
    let _right = provision.exclusive()?;
    migrate::apply(settings).await?;
    seed(settings, options).await
}

async fn seed(settings: &Settings, options: SeedOptions) -> Result<ExitCode> {
    match ensure(settings, options).await? {
        Progress::Done => say::line("The databases are seeded already; nothing was changed"),
        Progress::Foreign => bail!("the databases hold data that no seeding has made; nothing was changed"),
        Progress::Nothing | Progress::Interrupted => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// Seeds empty databases, and those in which a seeding was interrupted; leaves others alone. Returns what was found.
pub async fn ensure(settings: &Settings, options: SeedOptions) -> Result<Progress> {
    let found = progress::find(settings).await?;
    match found {
        Progress::Done | Progress::Foreign => return Ok(found),
        Progress::Interrupted => {
            say::line("An earlier seeding was interrupted: starting over");
            progress::clear(settings).await?;
            migrate::apply(settings).await?;
        }
        Progress::Nothing => {}
    }
    live(settings, options).await.context("seeding failed")?;
    Ok(found)
}

async fn live(settings: &Settings, options: SeedOptions) -> Result<()> {
    let number = options.seed.unwrap_or(settings.demo.seed);
    let members = options.members.unwrap_or(settings.demo.members);
    say::line(format!("Seeding a demo chain (seed {number}): {members} members, {} days of history", plan::PAST_DAYS));
    let plan = Plan::make(number, usize::try_from(members)?, SystemClock.now())?;
    let suite = Suite::start(settings, plan.opening).await?;
    let lived = async {
        let chain = opening::open(&suite, &plan).await?;
        let mut life = Life::new(&suite, &plan, chain)?;
        life.live().await?;
        suite.clock.move_to(SystemClock.now());
        settled::wait(settings, &suite).await?;
        opening::finish(&suite).await?;
        say::line(life.summary());
        anyhow::Ok(())
    };
    let lived = lived.await;
    suite.stop().await;
    lived
}
