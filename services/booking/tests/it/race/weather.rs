//! What happens to the servers in the middle of a run.

use pg::Pg;
use slotlock::SlotLock;
use sqlx::Connection as _;
use testkit::{OwnPostgres, OwnRedis};
use tokio::sync::watch;

use super::run::Run;

/// How often connections that have survived an outage are looked for.
const LOOKS: usize = 20;

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Havoc {
    /// Nothing.
    Calm,
    /// Redis forgets everything, three times.
    Flushed,
    /// Redis freezes for a third of the run.
    Paused,
    /// Redis is killed, and comes back empty.
    Killed,
    /// There is no Redis at all.
    Gone,
    /// Postgres is killed and started again; Redis is flushed.
    Restarted,
}

impl Havoc {
    /// That of a seed. Few restart Postgres, as those need one of their own.
    pub fn of(seed: u64) -> Self {
        match seed % 12 {
            0 => Self::Restarted,
            1 | 5 => Self::Flushed,
            2 | 6 => Self::Paused,
            3 | 7 => Self::Killed,
            4 => Self::Gone,
            _ => Self::Calm,
        }
    }

    /// The locks that the service works with, under a prefix of the seed's own.
    pub fn locks(self, redis: &OwnRedis, seed: u64) -> SlotLock {
        let url = redis.url().to_owned().into();
        let manager = (self != Self::Gone).then(|| runtime::redis_client::connect(&url).ok()).flatten();
        SlotLock::new(manager, format!("race{seed}:"))
    }

    /// Lets it happen to `run`, and ends when all servers are well again.
    pub async fn strike(self, run: &Run, redis: &OwnRedis, postgres: Option<&OwnPostgres>) {
        match self {
            Self::Calm | Self::Gone => {}
            Self::Flushed => {
                for percent in [25, 50, 75] {
                    run.reached(percent).await;
                    redis.flush().await;
                }
            }
            Self::Paused => {
                run.reached(33).await;
                redis.pause();
                run.reached(66).await;
                redis.resume();
            }
            Self::Killed => {
                run.reached(33).await;
                redis.kill().await;
                run.reached(66).await;
                redis.restart().await;
            }
            Self::Restarted => {
                run.reached(40).await;
                redis.flush().await;
                if let Some(postgres) = postgres {
                    run.weather.turn();
                    postgres.kill().await;
                    postgres.restart().await;
                    renew(&run.shop.world.app.pg).await;
                    run.weather.turn();
                }
            }
        }
    }
}

/// Sees to it that no connection of the pool is from before an outage: those that were used a moment ago are handed out
/// untried, and whoever got one of them would hear UNAVAILABLE once more.
async fn renew(pg: &Pg) {
    for _ in 0..LOOKS {
        let mut lively = Vec::new();
        let mut dead = false;
        // All at once, so that none is looked at twice.
        while lively.len() < usize::try_from(pg.pool().options().get_max_connections()).unwrap_or(usize::MAX) {
            let Ok(mut connection) = pg.conn().await else { break };
            match connection.ping().await {
                Ok(()) => lively.push(connection),
                // What is broken is not given back.
                Err(_) => {
                    dead = true;
                    drop(connection.detach());
                }
            }
        }
        if !dead && !lively.is_empty() {
            return;
        }
    }
}

/// Whether Postgres is there: odd while it is not. It tells also whether it was away meanwhile.
#[derive(Debug)]
pub struct Weather(watch::Sender<u64>);

impl Default for Weather {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Weather {
    /// From good to bad, or back.
    fn turn(&self) {
        self.0.send_modify(|turns| *turns += 1);
    }

    /// How it is now, to compare with later.
    pub fn look(&self) -> u64 {
        *self.0.borrow()
    }

    /// Whether Postgres was away at any time since.
    pub fn was_bad_since(&self, seen: u64) -> bool {
        seen % 2 == 1 || self.look() != seen
    }

    /// Waits until Postgres is there.
    pub async fn fair(&self) {
        // The sender lives as long as this.
        let _ = self.0.subscribe().wait_for(|turns| turns % 2 == 0).await;
    }
}
