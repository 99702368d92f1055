//! Watches the end of an outbox for all streams of a server, so that an idle stream costs no query.

use std::time::Duration;

use kernel::Timestamp;
use pg::{
    Pg,
    outbox::{self, Cursor, PARTITIONS},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

/// Wake-ups that come faster than this are taken together.
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);

/// How long to go without looking when nobody wakes us.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How far each partition can be read now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Heads {
    cursors: [Cursor; PARTITIONS as usize],
    /// When the oldest event that can't be read yet occurred.
    pub(crate) held_since: Option<Timestamp>,
}

impl Heads {
    pub(crate) fn of(&self, partition: i16) -> Cursor {
        usize::try_from(partition).ok().and_then(|index| self.cursors.get(index).copied()).unwrap_or_default()
    }
}

/// Keeps `heads` up to date, for ever.
pub(crate) async fn watch(pg: Pg, mut wake: watch::Receiver<u64>, heads: watch::Sender<Heads>) {
    let mut failing = false;
    let mut progress = Instant::now();
    loop {
        let mut pause = LONGEST_PAUSE;
        match look(&pg).await {
            Ok(seen) => {
                failing = false;
                if seen.cursors != heads.borrow().cursors {
                    progress = Instant::now();
                }
                // What holds an event back may end without waking anybody: look again soon, but ever more seldom while
                // it lasts.
                if seen.held_since.is_some() {
                    pause = (progress.elapsed() / 2).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
                } else {
                    progress = Instant::now();
                }
                heads.send_replace(seen);
            }
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    tracing::warn!(error = kernel::Error::from(error).chain(), "outbox can't be read");
                }
            }
        }
        sleep(SHORTEST_PAUSE).await;
        tokio::select! {
            () = woken(&mut wake) => {}
            () = sleep(pause) => {}
        }
    }
}

/// Returns when woken; never once nobody is left to wake us.
async fn woken(wake: &mut watch::Receiver<u64>) {
    if wake.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn look(pg: &Pg) -> pg::Result<Heads> {
    let mut conn = pg.conn().await?;
    let horizon = outbox::horizon(&mut conn).await?;
    let mut heads = Heads { held_since: horizon.held_since, ..Heads::default() };
    for (partition, cursor) in horizon.heads {
        if let Some(head) = usize::try_from(partition).ok().and_then(|index| heads.cursors.get_mut(index)) {
            *head = cursor;
        }
    }
    Ok(heads)
}
