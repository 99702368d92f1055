//! The wiring of payment, and of the sandbox provider beside it.

use std::sync::Arc;

use anyhow::Result;
use payment::{
    App, MIGRATOR, Policy,
    peers::{GrpcCoupons, GrpcPoints, PeerTenders},
    rpc::routes,
    sandbox::{self, SandboxConfig},
    worker::{self, Feeds},
};
use runtime::config::Service::{Booking, Marketing, Membership, Payment};
use tokio::net::TcpListener;

use super::{Host, database, grpc, providers};

/// Starts it; the sandbox provider too, if it has a port.
pub async fn start(host: &Host, policy: Policy, listener: TcpListener, sandbox: Option<TcpListener>) -> Result<()> {
    let pg = database::open(host, Payment, &MIGRATOR).await?;
    let settings = &host.settings.sandbox;
    let played = match sandbox {
        None => None,
        Some(listener) => {
            let config = SandboxConfig {
                pg: pg.clone(),
                clock: Arc::clone(&host.clock),
                secret: settings.secret.clone(),
                public_url: settings.url(),
            };
            Some(sandbox::serve(config, listener, &host.tasks)?)
        }
    };
    let peers = providers::peers(&host.settings, &host.clock, played.as_ref())?;
    let feed = host.feed_server(Payment, &pg);
    let keepers = PeerTenders {
        points: Some(Arc::new(GrpcPoints::new(host.peer(Payment, Membership)))),
        coupons: Some(Arc::new(GrpcCoupons::new(host.peer(Payment, Marketing)))),
    };
    let app = App::new(pg, Arc::new(host.vault()?), Arc::clone(&host.clock), policy, peers).with_peer_tenders(keepers);
    let app = Arc::new(app);
    worker::spawn(&app, Feeds { booking: host.feed(Payment, Booking) }, &host.tasks);
    grpc::serve(host, Payment, routes(&app, feed), Arc::clone(&host.keys), listener)
}
