//! The only wiring.

use std::sync::Arc;

use kernel::SharedClock;
use pg::{Pg, vault::Vault};

use crate::{config::Policy, passwords::Passwords, peers::Peers};

/// What every flow works with.
#[derive(Debug)]
pub struct App {
    /// The service's own database.
    pub pg: Pg,
    /// Where the time comes from.
    pub clock: SharedClock,
    /// The rules of the chain.
    pub policy: Policy,
    /// The holder of the master key.
    pub vault: Vault,
    /// The other services.
    pub peers: Peers,
    pub(crate) passwords: Passwords,
}

impl App {
    /// Puts it together.
    pub fn new(pg: Pg, clock: SharedClock, policy: Policy, vault: Vault, peers: Peers) -> Arc<Self> {
        Arc::new(Self { pg, clock, policy, vault, peers, passwords: Passwords::new() })
    }
}
