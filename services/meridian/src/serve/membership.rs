//! The wiring of membership.

use std::sync::Arc;

use anyhow::Result;
use membership::{
    App, MIGRATOR, OwnKeys, Policy,
    peers::{GrpcMessages, Peers},
    rpc::routes,
    worker::{self, Feeds},
};
use runtime::config::Service::{Marketing, Membership, Payment};
use tokio::net::TcpListener;

use super::{Host, database, grpc};

/// Starts it.
pub async fn start(host: &Host, policy: Policy, listener: TcpListener) -> Result<()> {
    let pg = database::open(host, Membership, &MIGRATOR).await?;
    let peers = Peers { messages: Arc::new(GrpcMessages::new(host.peer(Membership, Marketing))) };
    let feed = host.feed_server(Membership, &pg);
    let keys = OwnKeys::new(pg.clone(), Arc::clone(&host.clock), host.fixed_keys.clone());
    let app = App::new(pg, Arc::clone(&host.clock), policy, host.vault()?, peers);
    worker::spawn(&app, Feeds { payment: host.feed(Membership, Payment) }, &host.tasks);
    grpc::serve(host, Membership, routes(&app, feed), Arc::new(keys), listener)
}
