//! A service's pool, its figures and its readiness.

use std::{collections::BTreeSet, sync::LazyLock, time::Duration};

use anyhow::{Context, Result, anyhow, bail};
use kernel::Error;
use pg::{Pg, PgConfig};
use prometheus::HistogramVec;
use runtime::{
    config::Service,
    lifecycle::Next,
    metrics::{self, CALL_SECONDS},
};
use secrecy::ExposeSecret;
use sqlx::migrate::Migrator;
use tokio::time::Instant;

use super::Host;

/// How long a starting service waits for its database to be reachable and migrated.
const PATIENCE: Duration = Duration::from_secs(60);
/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(500);
/// How often readiness and figures are looked at.
const PERIOD: Duration = Duration::from_secs(5);

static POOL_WAIT: LazyLock<HistogramVec> = LazyLock::new(|| {
    metrics::histograms(
        "db_pool_wait_seconds",
        "Time that callers waited for a connection.",
        &["service"],
        CALL_SECONDS,
    )
});

/// Opens the pool of `service` once its database can be reached and has the tables of this version, and keeps an eye on
/// it.
///
/// # Errors
/// When that did not come true within a minute, or a stop was asked for meanwhile.
pub async fn open(host: &Host, service: Service, migrator: &'static Migrator) -> Result<Pg> {
    let settings = host.settings.service(service);
    let mut config = PgConfig::new(settings.database_url(service)?.expose_secret(), format!("meridian-{service}"));
    config.max_connections = settings.max_connections;

    let migrator = pg::migrator(migrator);
    let pg = wait(host, service, &config, &migrator).await?;
    let wait_time = POOL_WAIT.with_label_values(&[service.name()]);
    let pg = pg
        .with_wake(host.wake.publisher(service.name()))
        .with_wait_meter(move |waited| wait_time.observe(waited.as_secs_f64()));
    keep_watch(host, service, &pg, migrator);
    Ok(pg)
}

async fn wait(host: &Host, service: Service, config: &PgConfig, migrator: &Migrator) -> Result<Pg> {
    let deadline = Instant::now() + PATIENCE;
    let mut told = false;
    loop {
        let error = match connect(config, migrator).await {
            Ok(pg) => return Ok(pg),
            Err(error) => error,
        };
        if Instant::now() >= deadline {
            return Err(error).with_context(|| format!("the database of {service}"));
        }
        if !std::mem::replace(&mut told, true) {
            tracing::warn!(service = service.name(), error = format!("{error:#}"), "waiting for the database");
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = host.tasks.shutdown().soft().cancelled() => bail!("stopped while waiting for the database of {service}"),
        }
    }
}

async fn connect(config: &PgConfig, migrator: &Migrator) -> Result<Pg> {
    let pg = Pg::connect(config).await.context("cannot be reached")?;
    check_tables(&pg, migrator).await.map_err(|error| anyhow!("{}", error.message().to_owned()))?;
    Ok(pg)
}

/// Fails unless every migration of this version has been applied. Later ones are no error: during a roll-out the old
/// version serves on over the new tables.
async fn check_tables(pg: &Pg, migrator: &Migrator) -> kernel::Result<()> {
    let mut conn = pg.conn().await?;
    let applied = sqlx::query_scalar::<_, i64>("select version from _sqlx_migrations where success");
    let applied: BTreeSet<i64> = match applied.fetch_all(&mut *conn).await {
        Ok(versions) => versions.into_iter().collect(),
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P01") => BTreeSet::new(),
        Err(error) => return Err(pg::Error::from(error).into()),
    };
    if migrator.iter().all(|migration| applied.contains(&migration.version)) {
        return Ok(());
    }
    Err(Error::precondition("NOT_MIGRATED", "lacks tables of this version: run `meridian migrate`"))
}

fn keep_watch(host: &Host, service: Service, pg: &Pg, migrator: Migrator) {
    let migrator = std::sync::Arc::new(migrator);
    let checked = pg.clone();
    host.readiness.probe(service.name(), "database").keep(&host.tasks, PERIOD, move || {
        let (pg, migrator) = (checked.clone(), std::sync::Arc::clone(&migrator));
        async move { check_tables(&pg, &migrator).await }
    });
    let pool = pg.pool().clone();
    host.tasks.spawn_loop(format!("{service}.pool"), PERIOD, None, move || {
        let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
        metrics::set_pool(service.name(), pool.size().saturating_sub(idle), idle);
        async { Ok(Next::Wait) }
    });
}
