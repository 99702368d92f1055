//! The wiring of marketing.

use std::sync::Arc;

use anyhow::Result;
use marketing::{
    App, MIGRATOR, Policy,
    peers::{DemoMailbox, GrpcBooking, GrpcMembership, Peers},
    rpc::routes,
    worker::{self, Feeds},
};
use runtime::config::Service::{Booking, Marketing, Membership};
use tokio::net::TcpListener;

use super::{Host, database, grpc};

/// Starts it. The demo mailbox is the only channel there is; whether it can be read over the API is the policy's matter.
pub async fn start(host: &Host, mut policy: Policy, listener: TcpListener) -> Result<()> {
    let pg = database::open(host, Marketing, &MIGRATOR).await?;
    policy.demo_mailbox |= host.settings.demo.mailbox;
    let vault = Arc::new(host.vault()?);
    let peers = Peers {
        booking: Arc::new(GrpcBooking::new(host.peer(Marketing, Booking))),
        membership: Arc::new(GrpcMembership::new(host.peer(Marketing, Membership))),
        channel: Arc::new(DemoMailbox::new(pg.clone(), Arc::clone(&vault), Arc::clone(&host.clock))),
    };
    let feed = host.feed_server(Marketing, &pg);
    let app = App::new(pg, vault, Arc::clone(&host.clock), policy, peers);
    let feeds = Feeds { booking: host.feed(Marketing, Booking), membership: host.feed(Marketing, Membership) };
    worker::spawn(&app, feeds, &host.tasks);
    grpc::serve(host, Marketing, routes(&app, feed), Arc::clone(&host.keys), listener)
}
