//! The private servers of a run.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use provision::{Exclusive, Options, Profile, Progress, Provision};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, migrate::Migrator, postgres::PgConnectOptions};
use tokio::process::Command;

use crate::say;

/// A Postgres that waits for the disk at each commit, and a Redis.
pub struct Servers {
    folder: PathBuf,
    provision: Provision,
    admin_url: String,
    redis_url: String,
    _alone: Exclusive,
}

impl Servers {
    /// Starts them in `folder`, without anything that an interrupted run has left there.
    pub async fn start(folder: &Path) -> Result<Self> {
        let options = Options {
            profile: Profile::Durable,
            // Those of `meridian up` do; they outlive the run.
            tools: std::path::absolute(folder)?.parent().map(|data| data.join("tools")),
            install: true,
            progress: Progress::new(|text| say::line(text)),
            ..Options::default()
        };
        let provision = Provision::new(folder, options);
        let alone = provision.exclusive()?;
        provision.reset().await.context("an earlier run cannot be cleared away")?;
        match start(&provision).await {
            Ok((admin_url, redis_url)) => {
                Ok(Self { folder: folder.to_owned(), provision, admin_url, redis_url, _alone: alone })
            }
            Err(error) => {
                // The reason is worth more than what else goes wrong.
                let _ = provision.reset().await;
                Err(error)
            }
        }
    }

    /// Stops them and deletes all that they had.
    pub async fn remove(self) -> Result<()> {
        self.provision.reset().await?;
        fs::remove_dir_all(&self.folder).with_context(|| format!("cannot remove {}", self.folder.display()))
    }

    /// A folder for files of the run; it goes with it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The URL of Redis.
    pub fn redis_url(&self) -> &str {
        &self.redis_url
    }

    /// A new database with a role of the same name; returns the URL for that role.
    pub async fn database(&self, name: &str) -> Result<String> {
        Ok(self.provision.database(name).await?)
    }

    /// A new database with the platform's tables and those of `service`.
    pub async fn migrated(&self, name: &str, service: &'static Migrator) -> Result<String> {
        let url = self.database(name).await?;
        let mut connection = PgConnection::connect(&url).await?;
        pg::migrator(service).run(&mut connection).await?;
        connection.close().await?;
        Ok(url)
    }

    /// Does something that only an administrator may.
    pub async fn administer(&self, statement: impl Into<String>) -> Result<()> {
        let mut connection = self.administrator().await?;
        sqlx::raw_sql(AssertSqlSafe(statement.into())).execute(&mut connection).await?;
        Ok(connection.close().await?)
    }

    /// Such as "15.14".
    pub async fn postgres_version(&self) -> Result<String> {
        let mut connection = self.administrator().await?;
        let version: String = sqlx::query_scalar("show server_version").fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(version.split_whitespace().next().unwrap_or_default().to_owned())
    }

    /// Where Postgres logs to.
    pub fn log(&self) -> Result<PathBuf> {
        self.provision.postgres_log()?.context("Postgres has no log")
    }

    /// A client program that came with Postgres; `None` if it came without that one.
    pub async fn tool(&self, name: &str) -> Result<Option<Command>> {
        Ok(self.provision.postgres_tool(name).await?)
    }

    /// A connection to a database for what only an administrator may.
    pub async fn administrator_of(&self, database: &str) -> Result<PgConnection> {
        let options: PgConnectOptions = self.admin_url.parse()?;
        Ok(PgConnection::connect_with(&options.database(database)).await?)
    }

    async fn administrator(&self) -> Result<PgConnection> {
        Ok(PgConnection::connect(&self.admin_url).await?)
    }
}

async fn start(provision: &Provision) -> Result<(String, String)> {
    let admin_url = provision.postgres().await?.admin_url().to_owned();
    let redis_url = provision.redis().await?.url().to_owned();
    Ok((admin_url, redis_url))
}

/// Free addresses on loopback, for programs that can't be given a socket.
pub fn free_addresses<const N: usize>() -> Result<[SocketAddr; N]> {
    let listeners: Vec<TcpListener> = (0..N).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<_, _>>()?;
    let addresses: Vec<SocketAddr> = listeners.iter().map(TcpListener::local_addr).collect::<Result<_, _>>()?;
    addresses.try_into().ok().context("no free ports")
}
