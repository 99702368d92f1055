//! The pool, and the one safe way to begin a transaction.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    Connection, PgPool, Postgres, Transaction,
    pool::{MaybePoolConnection, PoolConnection},
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{Result, Tx, trust};

/// How to reach the database of a service.
#[derive(Debug, Clone)]
pub struct PgConfig {
    /// `postgres://user:password@host:port/database`.
    pub url: SecretString,
    /// The most connections that this process opens.
    pub max_connections: u32,
    /// How the connections call themselves in `pg_stat_activity`.
    pub application_name: String,
    /// How long a caller waits for a free connection.
    pub acquire_timeout: Duration,
    /// How long a single statement may take.
    pub statement_timeout: Duration,
    /// How long a transaction may sit between two statements. A long one would hold back every reader of the outbox.
    pub idle_in_transaction_timeout: Duration,
}

impl PgConfig {
    /// The defaults for the database at `url`: 16 connections, 3 s for a connection, 10 s for a statement, 10 s idle in
    /// a transaction.
    pub fn new(url: impl Into<String>, application_name: impl Into<String>) -> Self {
        Self {
            url: SecretString::from(url.into()),
            max_connections: 16,
            application_name: application_name.into(),
            acquire_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_secs(10),
            idle_in_transaction_timeout: Duration::from_secs(10),
        }
    }
}

type Wake = Arc<dyn Fn() + Send + Sync>;
type Meter = Arc<dyn Fn(Duration) + Send + Sync>;

/// The database of a service. Cloning it is cheap: clones share the pool.
#[derive(Clone)]
pub struct Pg {
    pool: PgPool,
    wake: Option<Wake>,
    wait_meter: Option<Meter>,
}

impl Pg {
    /// Opens the pool and one connection, to learn at once whether the database can be reached.
    pub async fn connect(config: &PgConfig) -> Result<Self> {
        let millis = |duration: Duration| duration.as_millis().to_string();
        let options =
            config.url.expose_secret().parse::<PgConnectOptions>()?.application_name(&config.application_name).options(
                [
                    ("statement_timeout", millis(config.statement_timeout)),
                    ("idle_in_transaction_session_timeout", millis(config.idle_in_transaction_timeout)),
                ],
            );
        let pool = PgPoolOptions::new()
            .max_connections(config.max_connections)
            .acquire_timeout(config.acquire_timeout)
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    if !trust::is_trusted(meta.idle_for) {
                        connection.ping().await.inspect_err(|error| _ = trust::hear(error))?;
                    }
                    Ok(true)
                })
            })
            .connect_with(options)
            .await?;
        Ok(Self::from_pool(pool))
    }

    /// Takes over a pool that was opened elsewhere.
    pub fn from_pool(pool: PgPool) -> Self {
        Self { pool, wake: None, wait_meter: None }
    }

    /// Calls `wake` after every commit that wrote events, so that their readers need not wait for their next poll. It
    /// must return at once; losing a call costs readers a second, nothing else.
    #[must_use]
    pub fn with_wake(self, wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self { wake: Some(Arc::new(wake)), ..self }
    }

    /// Tells `meter` how long each caller waited for a connection.
    #[must_use]
    pub fn with_wait_meter(self, meter: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        Self { wait_meter: Some(Arc::new(meter)), ..self }
    }

    /// Begins a transaction (READ COMMITTED).
    ///
    /// The caller may be dropped at any time: a client that goes away takes its handler's future with it. sqlx leaves a
    /// transaction open on a pooled connection when that happens during `BEGIN` (sqlx #4385), and the next
    /// user of the connection then writes into a transaction that nobody commits. So `BEGIN` runs in a task of its own,
    /// which nobody drops; waiting for the connection stays with the caller, lest those who left keep their place in
    /// the queue.
    ///
    /// A connection that turns out to be dead is replaced once: nothing has begun on it.
    pub async fn begin(&self) -> Result<Tx> {
        let transaction = match self.try_begin().await? {
            Err(error) if trust::hear(&error) => self.try_begin().await??,
            begun => begun?,
        };
        Ok(Tx::new(transaction, self.wake.clone()))
    }

    /// Fails if there is no connection; the inner result tells whether `BEGIN` came through.
    async fn try_begin(&self) -> Result<sqlx::Result<Transaction<'static, Postgres>>> {
        let connection = MaybePoolConnection::PoolConnection(self.conn().await?);
        let begun = tokio::spawn(Transaction::<'static, Postgres>::begin(connection, None)).await;
        // The task neither panics nor is aborted while the runtime lives.
        Ok(begun.unwrap_or(Err(sqlx::Error::WorkerCrashed)))
    }

    /// A connection for reading outside a transaction. Several statements on it see several states of the database.
    pub async fn conn(&self) -> Result<PoolConnection<Postgres>> {
        let asked = Instant::now();
        let connection = self.pool.acquire().await;
        if let Some(meter) = &self.wait_meter {
            meter(asked.elapsed());
        }
        Ok(connection?)
    }

    /// The pool itself, for migrations and statistics.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }
}

impl fmt::Debug for Pg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pg").field("connections", &self.pool.size()).finish_non_exhaustive()
    }
}
