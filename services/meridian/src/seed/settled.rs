//! Waiting until every service has heard of everything: every feed is read to its end and every task is done.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Result, bail};
use jiff_sqlx::ToSqlx as _;
use kernel::Clock as _;
use pg::{PgConnection, outbox::Cursor};
use runtime::{Settings, config::Service};
use tokio::time::Instant;

use super::{progress::connect, suite::Suite};

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// The place of an event, or of a reader, in a partition of a feed.
type Places = BTreeMap<(String, i16), Cursor>;

/// Waits.
pub async fn wait(settings: &Settings, suite: &Suite) -> Result<()> {
    let mut connections = Vec::new();
    for service in Service::ALL {
        connections.push((service, connect(settings, service).await?));
    }
    let deadline = Instant::now() + PATIENCE;
    loop {
        let Some(behind) = behind(&mut connections, suite).await? else { return Ok(()) };
        if Instant::now() >= deadline {
            bail!("after {} s this was still not done: {behind}", PATIENCE.as_secs());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// What is not done yet, if anything.
async fn behind(connections: &mut [(Service, PgConnection)], suite: &Suite) -> Result<Option<String>> {
    // The readers first: what is written after that they cannot have read, and is seen here.
    let mut readers = Vec::new();
    for (service, connection) in connections.iter_mut() {
        readers.push((*service, read_places(connection).await?));
    }
    let mut heads = Places::new();
    for (service, connection) in connections.iter_mut() {
        heads.append(&mut head_places(connection, *service).await?);
        let due: i64 = sqlx::query_scalar("select count(*) from task where done_time is null and due_time <= $1")
            .bind(suite.clock.now().to_sqlx())
            .fetch_one(connection)
            .await?;
        if due > 0 {
            return Ok(Some(format!("{due} tasks of {service}")));
        }
    }
    for (service, places) in readers {
        for (place, cursor) in places {
            if heads.get(&place).is_some_and(|head| *head > cursor) {
                return Ok(Some(format!("the feed of {}, partition {}, at {service}", place.0, place.1)));
            }
        }
    }
    Ok(None)
}

async fn read_places(connection: &mut PgConnection) -> Result<Places> {
    let rows: Vec<(String, i16, String)> =
        sqlx::query_as("select feed, partition, xid::text || '.' || position from feed_cursor")
            .fetch_all(connection)
            .await?;
    rows.into_iter().map(|(feed, partition, cursor)| Ok(((feed, partition), cursor.parse()?))).collect()
}

async fn head_places(connection: &mut PgConnection, service: Service) -> Result<Places> {
    let rows: Vec<(i16, String)> = sqlx::query_as(
        "select distinct on (partition) partition, xid::text || '.' || position from outbox \
         order by partition, xid desc, position desc",
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(|(partition, cursor)| Ok(((service.name().to_owned(), partition), cursor.parse()?))).collect()
}
