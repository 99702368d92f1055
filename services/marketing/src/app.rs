//! The only wiring.

use std::sync::Arc;

use kernel::SharedClock;
use pg::{Pg, vault::Vault};

use crate::{config::Policy, peers::Peers};

/// What every flow works with.
#[derive(Debug)]
pub struct App {
    /// The service's own database.
    pub pg: Pg,
    /// The keys of personal data.
    pub vault: Arc<Vault>,
    /// Where the time comes from.
    pub clock: SharedClock,
    /// The rules of the chain.
    pub policy: Policy,
    /// Other systems.
    pub peers: Peers,
}

impl App {
    /// Puts it together.
    pub fn new(pg: Pg, vault: Arc<Vault>, clock: SharedClock, policy: Policy, peers: Peers) -> Arc<Self> {
        Arc::new(Self { pg, vault, clock, policy, peers })
    }
}
