//! Bringing the databases to the tables of this version.

use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use runtime::{Settings, config::Service};
use secrecy::ExposeSecret;
use sqlx::{
    ConnectOptions as _, Connection as _, PgConnection,
    migrate::{MigrateError, Migrator},
    postgres::PgConnectOptions,
};

use crate::{folder::Folder, say};

/// `meridian migrate`: the configured databases, or those of the data folder.
pub async fn run(mut settings: Settings) -> Result<ExitCode> {
    if Service::ALL.into_iter().any(|service| settings.service(service).database_url.is_some()) {
        for service in Service::ALL {
            settings.service(service).database_url(service)?;
        }
        apply(&settings).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let folder = Folder::open(&settings)?;
    let provision = folder.provision();
    let ran_before = provision.running()?.0.is_some();
    folder.fill_databases(&mut settings, &provision).await?;
    let applied = apply(&settings).await;
    if !ran_before {
        provision.stop().await?;
    }
    applied.map(|()| ExitCode::SUCCESS)
}

/// Applies what is missing, service by service, and says so.
pub async fn apply(settings: &Settings) -> Result<()> {
    for service in Service::ALL {
        let applied = migrate(settings, service).await.with_context(|| format!("the database of {service}"))?;
        match applied {
            0 => {}
            1 => say::line(format!("{service}: 1 migration applied")),
            many => say::line(format!("{service}: {many} migrations applied")),
        }
    }
    say::line("The tables of all databases are those of this version");
    Ok(())
}

/// The tables of a service.
pub fn migrator(service: Service) -> &'static Migrator {
    match service {
        Service::Booking => &booking::MIGRATOR,
        Service::Membership => &membership::MIGRATOR,
        Service::Payment => &payment::MIGRATOR,
        Service::Marketing => &marketing::MIGRATOR,
        Service::Analytics => &analytics::MIGRATOR,
    }
}

/// Returns how many migrations were applied.
async fn migrate(settings: &Settings, service: Service) -> Result<usize> {
    let url = settings.service(service).database_url(service)?.expose_secret();
    let options: PgConnectOptions =
        url.parse().map_err(|_| anyhow!("{service}.database_url is not a URL of Postgres"))?;
    let mut connection = options.application_name("meridian-migrate").connect().await.context("cannot be reached")?;
    let before = count(&mut connection).await;
    let migrator = pg::migrator(migrator(service));
    migrator.run(&mut connection).await.map_err(explain)?;
    let after = count(&mut connection).await;
    connection.close().await?;
    Ok(after.saturating_sub(before))
}

async fn count(connection: &mut PgConnection) -> usize {
    let applied = sqlx::query_scalar::<_, i64>("select count(*) from _sqlx_migrations").fetch_one(connection).await;
    // Before the first migration there is no such table.
    applied.map_or(0, |count| usize::try_from(count).unwrap_or(0))
}

fn explain(error: MigrateError) -> anyhow::Error {
    match error {
        MigrateError::VersionMissing(version) => {
            anyhow!("has the tables of a newer version (migration {version}): use that version. Nothing was changed")
        }
        MigrateError::VersionMismatch(version) => anyhow!(
            "was made with another migration {version}, which must never be edited: use the version that made it. \
             Nothing was changed"
        ),
        MigrateError::Dirty(version) => {
            anyhow!("stopped in the middle of migration {version}: restore it from a copy, or `meridian reset`")
        }
        other => anyhow::Error::from(other).context("cannot be migrated"),
    }
}
