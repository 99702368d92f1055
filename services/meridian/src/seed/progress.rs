//! How far a seeding has come, in the databases themselves: its first and its last request, both to booking, have ids of
//! their own, and booking remembers the requests that it has answered.

use anyhow::Result;
use kernel::{Uuid, ids::derive};
use runtime::{Settings, config::Service};
use secrecy::ExposeSecret as _;
use sqlx::{Connection as _, PgConnection};

/// What the databases hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Nothing at all.
    Nothing,
    /// The beginning of a demo chain.
    Interrupted,
    /// A demo chain.
    Done,
    /// Something else.
    Foreign,
}

/// The id of the request that opens the first store.
pub fn first_request() -> Uuid {
    derive(Uuid::nil(), "meridian seed: first request")
}

/// The id of the request that adds the newest item.
pub fn last_request() -> Uuid {
    derive(Uuid::nil(), "meridian seed: last request")
}

/// Looks.
pub async fn find(settings: &Settings) -> Result<Progress> {
    let mut booking = connect(settings, Service::Booking).await?;
    let begun = answered(&mut booking, first_request()).await?;
    let done = answered(&mut booking, last_request()).await?;
    let empty = sqlx::query_scalar("select not exists (select from idempotency_key)").fetch_one(&mut booking).await?;
    booking.close().await?;
    Ok(match (begun, done, empty) {
        (_, true, _) => Progress::Done,
        (true, ..) => Progress::Interrupted,
        (.., true) => Progress::Nothing,
        (.., false) => Progress::Foreign,
    })
}

/// Deletes everything in all databases, tables included: nobody has used what an interrupted seeding has left.
pub async fn clear(settings: &Settings) -> Result<()> {
    for service in Service::ALL {
        let mut connection = connect(settings, service).await?;
        sqlx::raw_sql("drop owned by current_user cascade").execute(&mut connection).await?;
        connection.close().await?;
    }
    Ok(())
}

/// A connection as the role of `service`.
pub(super) async fn connect(settings: &Settings, service: Service) -> Result<PgConnection> {
    let url = settings.service(service).database_url(service)?;
    Ok(PgConnection::connect(url.expose_secret()).await?)
}

async fn answered(connection: &mut PgConnection, request: Uuid) -> Result<bool> {
    let query = sqlx::query_scalar("select exists (select from idempotency_key where request_id = $1)");
    Ok(query.bind(request).fetch_one(connection).await?)
}
