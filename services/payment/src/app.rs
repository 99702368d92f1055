//! The only wiring of the service.

use std::sync::Arc;

use kernel::SharedClock;
use pg::{Pg, vault::Vault};
use tokio::sync::watch;

use crate::{
    Policy,
    peers::{Invoicing, PeerTenders, Providers},
};

/// Everything that the service's flows need.
#[derive(Debug)]
pub struct App {
    /// The service's own database.
    pub pg: Pg,
    /// The keys of personal data: to whom invoices are made out.
    pub vault: Arc<Vault>,
    /// Where the time comes from.
    pub clock: SharedClock,
    /// The rules that an operator may set.
    pub policy: Policy,
    /// Foreign systems.
    pub peers: Peers,
    /// Who keeps points and coupons.
    pub peer_tenders: PeerTenders,
    refunds_decided: watch::Sender<u64>,
}

/// The foreign systems that payment talks to.
#[derive(Debug, Clone)]
pub struct Peers {
    /// The payment providers that this deployment has an account with.
    pub providers: Providers,
    /// Who issues invoices, if anybody does.
    pub invoicing: Option<Arc<dyn Invoicing>>,
}

impl App {
    /// Wires the service.
    pub fn new(pg: Pg, vault: Arc<Vault>, clock: SharedClock, policy: Policy, peers: Peers) -> Self {
        let peer_tenders = PeerTenders::default();
        Self { pg, vault, clock, policy, peers, peer_tenders, refunds_decided: watch::Sender::new(0) }
    }

    /// Wires those who keep points and coupons; without them nobody pays by these.
    #[must_use]
    pub fn with_peer_tenders(self, peer_tenders: PeerTenders) -> Self {
        Self { peer_tenders, ..self }
    }

    /// Wakes the worker that sends refunds. Call it after the commit.
    pub(crate) fn wake_refunds(&self) {
        self.refunds_decided.send_modify(|n| *n = n.wrapping_add(1));
    }

    /// Changes whenever there are refunds to send.
    pub(crate) fn refunds_decided(&self) -> watch::Receiver<u64> {
        self.refunds_decided.subscribe()
    }
}
