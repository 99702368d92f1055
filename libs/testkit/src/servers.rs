//! The servers that all tests of the workspace share.

use std::{env, path::PathBuf, time::Duration};

use provision::{Options, Postgres, Profile, Progress, Provision, Redis};
use redis::{AsyncConnectionConfig, RedisResult, aio::MultiplexedConnection};
use sqlx::{Connection as _, PgConnection};
use tokio::sync::OnceCell;

use crate::{
    cleaner::{self, Job},
    template,
};

const POSTGRES_URL: &str = "MERIDIAN_TEST_POSTGRES_URL";
const REDIS_URL: &str = "MERIDIAN_TEST_REDIS_URL";
/// How long a test waits for Redis: the half second of its client is too short where many tests share two cores.
const REDIS_PATIENCE: Duration = Duration::from_secs(10);
/// Owns the databases of tests. It has no rights beyond them, as the role of a service has none.
const ROLE: &str = "tester";

/// The Postgres that test databases are made on.
#[derive(Debug, Clone)]
pub(crate) struct TestPostgres {
    /// A role that may create databases.
    pub admin_url: String,
    /// The role that owns them, and how it gets in.
    pub role_url: String,
    /// `None` when the administrator owns them itself, on a server that was given to us.
    pub role: Option<&'static str>,
}

impl TestPostgres {
    pub(crate) async fn admin(&self) -> PgConnection {
        PgConnection::connect(&self.admin_url).await.expect("the Postgres of the tests lets us in")
    }

    /// The URL of a database for its owner.
    pub(crate) fn url_of(&self, database: &str) -> String {
        let options: sqlx::postgres::PgConnectOptions = self.role_url.parse().expect("a URL of Postgres");
        sqlx::ConnectOptions::to_url_lossy(&options.database(database)).to_string()
    }
}

/// The private servers of the workspace; `install` fetches programs that are missing.
pub fn provision(install: bool, progress: Progress) -> Provision {
    Provision::new(data(), Options { install, progress, ..options() })
}

/// What all private servers of tests have in common: they use the programs that were fetched once for all.
pub(crate) fn options() -> Options {
    Options { profile: Profile::Test, tools: Some(workspace().join(".tools")), ..Options::default() }
}

/// The folder of the private servers.
pub(crate) fn data() -> PathBuf {
    workspace().join(".meridian/test")
}

fn workspace() -> PathBuf {
    let crates = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    PathBuf::from(crates).canonicalize().expect("the workspace is where it was built")
}

fn private() -> Provision {
    provision(false, Progress::silent())
}

/// The shared Postgres, started if need be.
pub(crate) async fn postgres() -> &'static TestPostgres {
    static SHARED: OnceCell<TestPostgres> = OnceCell::const_new();
    SHARED.get_or_init(open_postgres).await
}

async fn open_postgres() -> TestPostgres {
    if let Ok(url) = env::var(POSTGRES_URL) {
        return TestPostgres { admin_url: url.clone(), role_url: url, role: None };
    }
    let private = private();
    let server = private.postgres().await.unwrap_or_else(|error| panic!("{error}\n{}", hint()));
    let role_url = private.database(ROLE).await.unwrap_or_else(|error| panic!("{error}"));
    let shared = TestPostgres { admin_url: server.admin_url().to_owned(), role_url, role: Some(ROLE) };
    // What was left behind by test processes that were killed.
    if server.is_adopted() {
        cleaner::submit(Job::Leftovers(shared.clone()));
    } else {
        template::drop_all(&shared).await;
    }
    shared
}

/// The URL of the shared Redis, started if need be.
pub(crate) async fn redis_url() -> &'static str {
    static SHARED: OnceCell<String> = OnceCell::const_new();
    SHARED.get_or_init(open_redis).await
}

/// A connection for the test itself.
pub(crate) async fn connect_redis(url: &str) -> RedisResult<MultiplexedConnection> {
    let patient = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(REDIS_PATIENCE))
        .set_response_timeout(Some(REDIS_PATIENCE));
    redis::Client::open(url)?.get_multiplexed_async_connection_with_config(&patient).await
}

async fn open_redis() -> String {
    match env::var(REDIS_URL) {
        Ok(url) => url,
        Err(_) => own_redis(&private()).await.url().to_owned(),
    }
}

pub(crate) async fn own_redis(provision: &Provision) -> Redis {
    provision.redis().await.unwrap_or_else(|error| panic!("{error}\n{}", hint()))
}

pub(crate) async fn own_postgres(provision: &Provision) -> Postgres {
    provision.postgres().await.unwrap_or_else(|error| panic!("{error}\n{}", hint()))
}

fn hint() -> String {
    format!(
        "`cargo run -p testkit -- start` installs what is missing; {POSTGRES_URL} and {REDIS_URL} name other servers"
    )
}
