//! The only wiring.

use std::sync::Arc;

use kernel::SharedClock;
use pg::Pg;
use slotlock::SlotLock;
use tokio::sync::{Semaphore, watch};

use crate::{config::Policy, domain::calendar::link::LinkKey, flows::sight::Sights, peers::Peers};

/// How many callers at a time may ask Postgres for a time that somebody else is just taking.
const CONTENDERS: usize = 8;

/// What every flow works with.
#[derive(Debug)]
pub struct App {
    /// The service's own database.
    pub pg: Pg,
    /// Fast refusal of times that are just being taken.
    pub locks: SlotLock,
    /// Where the time comes from.
    pub clock: SharedClock,
    /// The rules of the chain.
    pub policy: Policy,
    /// What signs the addresses of calendars.
    pub links: LinkKey,
    /// The other services.
    pub peers: Peers,
    /// Where callers line up who want a time that somebody else is just taking.
    pub(crate) contenders: Semaphore,
    /// What plans are made from.
    pub(crate) sights: Sights,
    poke: watch::Sender<u64>,
}

impl App {
    /// Puts it together.
    pub fn new(pg: Pg, locks: SlotLock, clock: SharedClock, policy: Policy, links: LinkKey, peers: Peers) -> Arc<Self> {
        Arc::new(Self {
            pg,
            locks,
            clock,
            policy,
            links,
            peers,
            contenders: Semaphore::new(CONTENDERS),
            sights: Sights::default(),
            poke: watch::Sender::new(0),
        })
    }

    /// Tells the worker that there is a task to do.
    pub(crate) fn poke(&self) {
        self.poke.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Changes whenever there is a task to do.
    pub(crate) fn pokes(&self) -> watch::Receiver<u64> {
        self.poke.subscribe()
    }
}
