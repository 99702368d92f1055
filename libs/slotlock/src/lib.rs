//! Fast refusal of times that somebody else is just taking.
//!
//! A lock covers cells of time of some resources (therapist, room, equipment) for a short while, all or none. It sheds
//! load and **never decides**: Postgres does, by its exclusion constraint. So nothing here fails. When Redis is down,
//! slow, flushed or lying, the answer is [`Take::Unknown`] or simply wrong, and the caller goes on to Postgres; only
//! [`Take::Busy`] saves it the way.
//!
//! In Redis a cell is one key, `<prefix>{slot}:<resource>:<cell>`, that holds its owner's id and expires. The braces put
//! all keys on one node of a cluster, so that one script can see them.

mod breaker;

use std::{fmt, time::Duration};

use redis::{RedisError, Script, aio::ConnectionManager};
use uuid::Uuid;

use breaker::Breaker;

/// The length of a cell. Times on a coarser or equal grid never share a cell unless they overlap; with a finer grid two
/// that only touch may, and then the later caller is refused although Postgres would have let it pass.
pub const CELL_MINUTES: i64 = 5;

/// How long a call may keep its caller, if nothing else is said. A Redis that is slower is of no help.
pub const BUDGET: Duration = Duration::from_millis(50);

/// Takes all keys, or none if another owner has one. An owner that takes again extends.
const TAKE: &str = r"
for _, key in ipairs(KEYS) do
  local owner = redis.call('GET', key)
  if owner and owner ~= ARGV[1] then return 0 end
end
for _, key in ipairs(KEYS) do redis.call('SET', key, ARGV[1], 'PX', ARGV[2]) end
return 1";

/// Deletes those of the keys that the owner has.
const RELEASE: &str = r"
local released = 0
for _, key in ipairs(KEYS) do
  if redis.call('GET', key) == ARGV[1] then released = released + redis.call('DEL', key) end
end
return released";

/// One cell of one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotKey {
    /// Whose time it is.
    pub resource: Uuid,
    /// Which: minutes since 1970 in UTC, divided by [`CELL_MINUTES`].
    pub cell: i64,
}

impl SlotKey {
    /// The cells that `resource` needs from `start` until before `end`, both in minutes since 1970 in UTC. A cell that is
    /// needed in part is needed.
    pub fn covering(resource: Uuid, start: i64, end: i64) -> impl Iterator<Item = Self> {
        let first = start.div_euclid(CELL_MINUTES);
        let end = if start < end { (end - 1).div_euclid(CELL_MINUTES) + 1 } else { first };
        (first..end).map(move |cell| Self { resource, cell })
    }
}

/// What a try to take cells came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// They are the caller's for the time asked.
    Taken,
    /// Somebody else has one of them; none was taken.
    Busy,
    /// Redis could not tell. They may or may not be the caller's.
    Unknown,
}

/// The locks of one deployment. Clones share the connection and the breaker.
#[derive(Clone)]
pub struct SlotLock {
    redis: Option<ConnectionManager>,
    prefix: String,
    take: Script,
    release: Script,
    budget: Duration,
    breaker: Breaker,
}

impl fmt::Debug for SlotLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlotLock").field("prefix", &self.prefix).field("redis", &self.redis.is_some()).finish()
    }
}

impl SlotLock {
    /// Locks under `prefix`; without `redis` every answer is [`Take::Unknown`].
    pub fn new(redis: Option<ConnectionManager>, prefix: impl Into<String>) -> Self {
        Self {
            redis,
            prefix: prefix.into(),
            take: Script::new(TAKE),
            release: Script::new(RELEASE),
            budget: BUDGET,
            breaker: Breaker::default(),
        }
    }

    /// Lets a call take `budget` instead of [`BUDGET`].
    #[must_use]
    pub fn with_budget(mut self, budget: Duration) -> Self {
        self.budget = budget;
        self
    }

    /// Takes all `keys` for `owner`, or none. Taking again what one has extends it. They are free again after `ttl`
    /// (at least a millisecond).
    ///
    /// Call [`release`](Self::release) when the hold does not come about, after [`Take::Unknown`] too: Redis may have
    /// taken them although its answer was lost.
    pub async fn take(&self, owner: Uuid, keys: &[SlotKey], ttl: Duration) -> Take {
        if keys.is_empty() {
            return Take::Taken;
        }
        let ttl_ms = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).clamp(1, MAX_TTL_MS);
        match self.run(&self.take, owner, keys, Some(ttl_ms)).await {
            Some(1) => Take::Taken,
            Some(_) => Take::Busy,
            None => Take::Unknown,
        }
    }

    /// Frees those of `keys` that `owner` has. What it cannot free expires.
    pub async fn release(&self, owner: Uuid, keys: &[SlotKey]) {
        if !keys.is_empty() {
            self.run(&self.release, owner, keys, None).await;
        }
    }

    /// Runs a script within the budget; `None` when Redis is of no help.
    async fn run(&self, script: &Script, owner: Uuid, keys: &[SlotKey], ttl_ms: Option<u64>) -> Option<i64> {
        let mut redis = self.redis.clone()?;
        if !self.breaker.admits() {
            return None;
        }
        let mut call = script.arg(owner.simple().to_string());
        for key in keys {
            call.key(format!("{}{{slot}}:{}:{}", self.prefix, key.resource.simple(), key.cell));
        }
        if let Some(ttl_ms) = ttl_ms {
            call.arg(ttl_ms);
        }
        let why = match tokio::time::timeout(self.budget, call.invoke_async(&mut redis)).await {
            Ok(Ok(answer)) => {
                self.breaker.succeeded();
                return Some(answer);
            }
            Ok(Err(error)) => Failure::Redis(error),
            Err(_) => Failure::Slow(self.budget),
        };
        self.breaker.failed(&why);
        None
    }
}

/// A century: Redis refuses what would overflow its clock.
const MAX_TTL_MS: u64 = 100 * 366 * 24 * 60 * 60 * 1_000;

/// Why Redis was of no help.
enum Failure {
    Redis(RedisError),
    Slow(Duration),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Redis(error) => error.fmt(f),
            Self::Slow(budget) => write!(f, "no answer within {} ms", budget.as_millis()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(start: i64, end: i64) -> Vec<i64> {
        SlotKey::covering(Uuid::nil(), start, end).map(|key| key.cell).collect()
    }

    #[test]
    fn cells_cover_a_time_whole_and_no_more() {
        assert_eq!(cells(0, 5), [0]);
        assert_eq!(cells(0, 6), [0, 1]);
        assert_eq!(cells(4, 6), [0, 1]);
        assert_eq!(cells(60, 90), [12, 13, 14, 15, 16, 17]);
        assert_eq!(cells(-5, 1), [-1, 0], "before 1970 too");
        assert!(cells(5, 5).is_empty());
        assert!(cells(9, 5).is_empty());
        assert!(cells(i64::MIN, i64::MIN).is_empty());
    }

    #[tokio::test]
    async fn without_redis_nothing_is_known() {
        let locks = SlotLock::new(None, "");
        let key = SlotKey { resource: Uuid::nil(), cell: 0 };
        assert_eq!(locks.take(Uuid::nil(), &[key], Duration::from_secs(1)).await, Take::Unknown);
        locks.release(Uuid::nil(), &[key]).await;
        assert_eq!(locks.take(Uuid::nil(), &[], Duration::from_secs(1)).await, Take::Taken, "nothing is always free");
    }
}
