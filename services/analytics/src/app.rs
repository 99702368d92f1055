//! The only wiring.

use std::sync::Arc;

use kernel::{SharedClock, ids::MemberId};
use pg::{Pg, vault::Vault};

use crate::{config::Policy, domain::Pseudonym};

/// What the pseudonyms' key is derived for. Another text would make strangers of all known customers.
const PURPOSE: &str = "analytics: customer";

/// What every flow works with.
#[derive(Debug)]
pub struct App {
    /// The service's own database.
    pub pg: Pg,
    /// Where the time comes from.
    pub clock: SharedClock,
    /// The rules of the chain.
    pub policy: Policy,
    vault: Arc<Vault>,
}

impl App {
    /// Puts it together. `vault` is only used to derive pseudonyms; nothing is sealed in it.
    pub fn new(pg: Pg, clock: SharedClock, policy: Policy, vault: Arc<Vault>) -> Arc<Self> {
        Arc::new(Self { pg, clock, policy, vault })
    }

    /// Who a member is in the facts.
    pub fn pseudonym(&self, member: MemberId) -> Pseudonym {
        Pseudonym::new(self.vault.blind_index(PURPOSE, &member.name()))
    }
}
