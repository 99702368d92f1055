//! The wiring of analytics.

use std::sync::Arc;

use analytics::{
    App, MIGRATOR, Policy,
    rpc::routes,
    worker::{self, Feeds},
};
use anyhow::Result;
use runtime::config::Service::{Analytics, Booking, Marketing, Membership, Payment};
use tokio::net::TcpListener;

use super::{Host, database, grpc};

/// Starts it.
pub async fn start(host: &Host, policy: Policy, listener: TcpListener) -> Result<()> {
    let pg = database::open(host, Analytics, &MIGRATOR).await?;
    let feed = host.feed_server(Analytics, &pg);
    let app = App::new(pg, Arc::clone(&host.clock), policy, Arc::new(host.vault()?));
    let feeds = Feeds {
        booking: host.feed(Analytics, Booking),
        membership: host.feed(Analytics, Membership),
        payment: host.feed(Analytics, Payment),
        marketing: host.feed(Analytics, Marketing),
    };
    worker::spawn(&app, feeds, &host.tasks);
    grpc::serve(host, Analytics, routes(&app, feed), Arc::clone(&host.keys), listener)
}
