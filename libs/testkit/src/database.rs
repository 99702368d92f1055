//! A database for one test.

use std::{path::Path, time::Duration};

use pg::{Pg, PgConfig};
use sqlx::migrate::Migrator;

use crate::{
    cleaner::{self, Job},
    servers::{self, TestPostgres},
    template,
};

/// How long a test waits for a connection: longer than a service. Where many tests share two cores, a queue for the pool
/// is no outage, which is what it looks like to a service that gives up after three seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// A database with all migrations and no rows. It is dropped with this value.
#[derive(Debug)]
pub struct TestDb {
    /// A pool as services have it.
    pub pg: Pg,
    /// For its owner, who has no rights beyond it. Holds a password.
    pub url: String,
    name: String,
    server: TestPostgres,
}

impl TestDb {
    /// The name of the database.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Another pool on the same database, as a second replica of the service would have it.
    pub async fn connect(&self) -> Pg {
        connect(&self.url).await
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        cleaner::submit(Job::Database(self.server.clone(), std::mem::take(&mut self.name)));
    }
}

/// A new database with the platform's migrations and those of `service`.
pub async fn database(service: &'static Migrator) -> TestDb {
    let server = servers::postgres().await.clone();
    let name = template::copy(&server, &pg::migrator(service)).await;
    let url = server.url_of(&name);
    TestDb { pg: connect(&url).await, url, name, server }
}

/// Makes a database with the platform's migrations and those in `folder`, anew at each call; returns its URL. It stays:
/// it is for tools that look at the tables, such as the check of queries.
pub async fn scratch_database(name: &str, folder: &Path) -> String {
    let service = Migrator::new(folder).await.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    template::scratch(servers::postgres().await, name, &pg::migrator(&service)).await
}

/// A pool as services have it, but for its patience.
pub(crate) async fn connect(url: &str) -> Pg {
    let config = PgConfig {
        acquire_timeout: PATIENCE,
        statement_timeout: PATIENCE,
        idle_in_transaction_timeout: PATIENCE,
        ..PgConfig::new(url, "test")
    };
    Pg::connect(&config).await.unwrap_or_else(|error| panic!("the test database lets us in: {error}"))
}
