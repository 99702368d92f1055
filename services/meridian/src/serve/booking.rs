//! The wiring of booking.

use std::sync::Arc;

use anyhow::Result;
use booking::{
    App, MIGRATOR, Policy,
    peers::{GrpcMembership, GrpcPayment, GrpcPricing, Peers},
    rpc::routes,
    worker::{self, Feeds},
};
use runtime::config::Service::{Booking, Marketing, Membership, Payment};
use tokio::net::TcpListener;

use super::{Host, database, grpc};

/// Starts it.
pub async fn start(host: &Host, policy: Policy, listener: TcpListener) -> Result<()> {
    let pg = database::open(host, Booking, &MIGRATOR).await?;
    let peers = Peers {
        membership: Arc::new(GrpcMembership::new(host.peer(Booking, Membership))),
        pricing: Arc::new(GrpcPricing::new(host.peer(Booking, Marketing))),
        payment: Arc::new(GrpcPayment::new(host.peer(Booking, Payment))),
    };
    let feed = host.feed_server(Booking, &pg);
    let app = App::new(pg, host.slot_lock()?, Arc::clone(&host.clock), policy, host.link_key()?, peers);
    worker::spawn(&app, Feeds { payment: host.feed(Booking, Payment) }, &host.tasks);
    grpc::serve(host, Booking, routes(&app, feed), Arc::clone(&host.keys), listener)
}
