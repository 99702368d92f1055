//! Postgres's own load program.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use sqlx::postgres::PgConnectOptions;
use tokio::time::timeout;

use super::{script::Script, servers::Servers};

const PROGRAM: &str = "pgbench";
/// How long it may take beyond what it was asked to.
const PATIENCE: Duration = Duration::from_secs(20);

/// The program and the database that it works on.
pub struct Pgbench<'a> {
    servers: &'a Servers,
    options: PgConnectOptions,
    password: String,
}

/// How much it does.
#[derive(Debug, Clone, Copy)]
pub enum Amount {
    /// One transaction.
    Once,
    /// As many as so many clients can do in a time.
    For(Duration, usize),
}

/// What it did.
#[derive(Debug, Clone, Copy, Default)]
pub struct Done {
    /// How many transactions.
    pub transactions: f64,
    /// In a second, connecting left out.
    pub per_second: f64,
}

impl<'a> Pgbench<'a> {
    /// For the database at `url`; `None` if Postgres came without the program.
    pub async fn find(servers: &'a Servers, url: &str) -> Result<Option<Self>> {
        if servers.tool(PROGRAM).await?.is_none() {
            return Ok(None);
        }
        let options: PgConnectOptions = url.parse()?;
        let (_, rest) = url.split_once("://").context("the URL has no scheme")?;
        let password = rest.split_once('@').and_then(|(user, _)| user.split_once(':')).map(|(_, password)| password);
        Ok(Some(Self { servers, options, password: password.unwrap_or_default().to_owned() }))
    }

    /// Runs a script with prepared statements. A transaction that fails is an error.
    pub async fn run(&self, script: &Path, variables: &Script, amount: Amount) -> Result<Done> {
        let mut command = self.servers.tool(PROGRAM).await?.context("pgbench is gone")?;
        command.args(["--no-vacuum", "--protocol=prepared", "--file"]).arg(script.canonicalize()?);
        for (name, value) in &variables.constants {
            command.arg("--define").arg(format!("{name}={value}"));
        }
        let patience = match amount {
            Amount::Once => {
                command.args(["--transactions=1", "--client=1", "--jobs=1"]);
                PATIENCE
            }
            Amount::For(time, clients) => {
                let jobs = std::thread::available_parallelism()?.get().min(clients);
                command.args([
                    format!("--time={}", time.as_secs()),
                    format!("--client={clients}"),
                    format!("--jobs={jobs}"),
                ]);
                time + PATIENCE
            }
        };
        let running = command
            .env("PGHOST", self.options.get_host())
            .env("PGPORT", self.options.get_port().to_string())
            .env("PGUSER", self.options.get_username())
            .env("PGDATABASE", self.options.get_database().unwrap_or_default())
            .env("PGPASSWORD", &self.password)
            .kill_on_drop(true)
            .output();
        let output = timeout(patience, running).await.context("pgbench does not end")??;
        let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if !output.status.success() {
            bail!("pgbench failed: {}", errors.trim());
        }
        read(&said).with_context(|| format!("pgbench says: {} {}", said.trim(), errors.trim()))
    }
}

fn read(said: &str) -> Result<Done> {
    let number = |name: &str| -> Option<f64> {
        let value = said.lines().find_map(|line| line.strip_prefix(name))?;
        value.trim_start_matches([':', '=', ' ']).split([' ', '/']).next()?.parse().ok()
    };
    // Versions before 15 don't tell, and abort the client instead.
    let failed = number("number of failed transactions").unwrap_or(0.0);
    ensure!(failed < 1.0, "{failed} transactions failed");
    Ok(Done {
        transactions: number("number of transactions actually processed").context("it counted nothing")?,
        per_second: number("tps").context("it has no rate")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_says_is_read() {
        let said = "transaction type: hold.sql\nnumber of transactions actually processed: 1234\n\
                    number of failed transactions: 0 (0.000%)\nlatency average = 1.2 ms\n\
                    tps = 617.25 (without initial connection time)\n";
        let done = read(said).unwrap();
        assert_eq!((done.transactions as i64, (done.per_second * 100.0) as i64), (1_234, 61_725));
        assert!(read("number of transactions actually processed: 3/3\ntps = 1.0 (x)").is_ok(), "with --transactions");
        assert!(read(&said.replace("transactions: 0", "transactions: 2")).is_err());
    }
}
