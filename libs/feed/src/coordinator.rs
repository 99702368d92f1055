//! Which partitions this replica holds.
//!
//! Replicas report that they are alive and divide the partitions by a rule that all compute alike: partition `p` belongs
//! to the one at `p mod n` of their sorted ids. One that should have a partition takes it when its lease is free; one
//! that should not have it gives it up. While they disagree the lease decides, and the cursor's own comparison guards
//! what the lease can't.

use std::{collections::HashMap, sync::Arc, time::Duration};

use kernel::{SharedClock, Uuid, ids};
use pg::{Pg, PgConnection, outbox::PARTITIONS};
use tokio::{task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    Consumer, FeedSource,
    cursor::{self, Replica},
    metrics::Meter,
    session::Session,
};

/// How often a replica reports, renews its leases and looks for partitions.
const HEARTBEAT: Duration = Duration::from_secs(1);

pub(crate) struct Coordinator<C> {
    pg: Pg,
    source: FeedSource,
    consumer: Arc<C>,
    clock: SharedClock,
    replica: Replica,
    /// The sessions, each ending with its partition. Dropping the set aborts them.
    running: JoinSet<()>,
    held: HashMap<i16, Held>,
    /// The rows of the cursors are known to exist.
    ready: bool,
}

struct Held {
    task: tokio::task::Id,
    stop: CancellationToken,
}

impl<C: Consumer> Coordinator<C> {
    pub(crate) fn new(pg: Pg, source: FeedSource, consumer: Arc<C>, clock: SharedClock) -> Self {
        let replica = Replica { feed: source.feed, consumer: C::NAME, id: ids::uuid_v7(clock.now()) };
        Self { pg, source, consumer, clock, replica, running: JoinSet::new(), held: HashMap::new(), ready: false }
    }

    /// Holds partitions until `stop`, then gives them up.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.beat(&stop).await {
                let error = kernel::Error::from(error).chain();
                tracing::warn!(feed = self.replica.feed, consumer = C::NAME, error, "feed cursors can't be reached");
            }
            stop.run_until_cancelled(sleep(HEARTBEAT)).await;
        }
        self.held.values().for_each(|held| held.stop.cancel());
        while let Some(ended) = self.running.join_next_with_id().await {
            self.ended(ended);
        }
        if let Err(error) = self.leave().await {
            // Others will see by its silence.
            let error = kernel::Error::from(error).chain();
            tracing::warn!(feed = self.replica.feed, consumer = C::NAME, error, "feed partitions not given up");
        }
    }

    async fn beat(&mut self, stop: &CancellationToken) -> pg::Result<()> {
        while let Some(ended) = self.running.try_join_next_with_id() {
            self.ended(ended);
        }
        let mut conn = self.pg.conn().await?;
        if !self.ready {
            cursor::init(&mut conn, &self.replica).await?;
            self.ready = true;
        }
        let alive = cursor::report_alive(&mut conn, &self.replica, self.clock.now()).await?;
        let leased = cursor::renew(&mut conn, &self.replica, self.clock.now()).await?;
        for partition in 0..PARTITIONS {
            let mine = owner(&alive, partition) == Some(self.replica.id);
            match self.held.get(&partition) {
                // A session that lost its lease would find out at its next event, which may be long in coming.
                Some(held) if !mine || !leased.contains(&partition) => held.stop.cancel(),
                Some(_) => {}
                None if mine => self.claim(&mut conn, partition, stop).await?,
                None if leased.contains(&partition) => cursor::release(&mut conn, &self.replica, partition).await?,
                None => {}
            }
        }
        Ok(())
    }

    async fn claim(&mut self, conn: &mut PgConnection, partition: i16, stop: &CancellationToken) -> pg::Result<()> {
        let claimed = cursor::claim(conn, &self.replica, partition, self.clock.now()).await?;
        let Some(cursor) = claimed else { return Ok(()) };
        tracing::info!(feed = self.replica.feed, consumer = C::NAME, partition, %cursor, "partition taken");
        // A stop of all must reach the session before the end of its stream does, which would look like an outage.
        let stop = stop.child_token();
        let session = Session {
            pg: self.pg.clone(),
            source: self.source.clone(),
            consumer: Arc::clone(&self.consumer),
            clock: Arc::clone(&self.clock),
            replica: self.replica,
            partition,
            cursor,
            meter: Meter::new(&self.replica, partition),
            stop: stop.clone(),
        };
        let task = self.running.spawn(session.run()).id();
        self.held.insert(partition, Held { task, stop });
        Ok(())
    }

    /// Forgets a session; the next beat takes its partition again, or gives it up.
    fn ended(&mut self, ended: Result<(tokio::task::Id, ()), tokio::task::JoinError>) {
        let task = match ended {
            Ok((task, ())) => task,
            Err(error) => {
                tracing::error!(feed = self.replica.feed, consumer = C::NAME, error = %error, "feed session died");
                error.id()
            }
        };
        self.held.retain(|_, held| held.task != task);
    }

    async fn leave(&self) -> pg::Result<()> {
        let mut conn = self.pg.conn().await?;
        for partition in 0..PARTITIONS {
            cursor::release(&mut conn, &self.replica, partition).await?;
        }
        cursor::leave(&mut conn, &self.replica).await
    }
}

/// Whose a partition should be.
fn owner(alive: &[Uuid], partition: i16) -> Option<Uuid> {
    let index = usize::try_from(partition).ok()?.checked_rem(alive.len())?;
    alive.get(index).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partition_has_one_owner_and_none_has_much_more_than_another() {
        for replicas in 1..7 {
            let alive: Vec<Uuid> = (0..replicas).map(Uuid::from_u128).collect();
            let owners: Vec<_> = (0..PARTITIONS).map(|partition| owner(&alive, partition).expect("an owner")).collect();
            let shares = alive.iter().map(|id| owners.iter().filter(|owner| *owner == id).count());
            let (least, most) = (shares.clone().min(), shares.max());
            assert!(most.expect("some") - least.expect("some") <= 1);
        }
        assert_eq!(owner(&[], 0), None);
    }
}
