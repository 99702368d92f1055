//! What the tests share.

use std::str::FromStr;

use kernel::{Clock, SystemClock, Timestamp};
use pg::PgConnection;
use rand::{SeedableRng, rngs::StdRng};
use sqlx::migrate::Migrator;

/// The migrations of an imaginary service.
pub static MIGRATOR: Migrator = sqlx::migrate!("tests/it/migrations");

/// The present.
pub fn now() -> Timestamp {
    SystemClock.now()
}

/// How many notes of that text were committed.
pub async fn notes(conn: &mut PgConnection, text: &str) -> i64 {
    sqlx::query_scalar("select count(*) from note where text = $1").bind(text).fetch_one(conn).await.expect("counted")
}

/// Writes a note.
pub async fn write_note(conn: &mut PgConnection, text: &str) -> pg::Result<()> {
    sqlx::query("insert into note (text) values ($1)").bind(text).execute(conn).await?;
    Ok(())
}

/// A generator seeded by the environment variable `SEED`, or afresh; the seed is printed, to repeat a failure.
pub fn seeded(test: &str) -> StdRng {
    let seed = std::env::var("SEED").ok().and_then(|text| u64::from_str(&text).ok()).unwrap_or_else(rand::random);
    println!("{test}: SEED={seed}");
    StdRng::seed_from_u64(seed)
}
