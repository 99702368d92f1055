//! A server in the process of the test.

use std::sync::Arc;

use kernel::SharedClock;
use rpc::{ServerLayerConfig, client::KeepAlive, server_layer};
use runtime::Shutdown;
use tokio::net::TcpListener;
use tonic::{service::Routes, transport::Channel};

use crate::{clock, keys};

/// Serves `routes` behind the real layer on a free port, trusting [`keys`], at a time that stands still, so that their
/// tokens never end. The server ends with the runtime of the test.
pub async fn serve(routes: Routes) -> Channel {
    serve_at(routes, clock()).await
}

/// Like [`serve`], checking tokens at the time of `clock`.
pub async fn serve_at(routes: Routes, clock: SharedClock) -> Channel {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let uri = format!("http://{}", listener.local_addr().expect("an address"));
    let layer = server_layer(ServerLayerConfig { service: "test", keys: keys().trusted(), clock: Arc::clone(&clock) });
    tokio::spawn(async move {
        // It never stops before the runtime does.
        let shutdown = Shutdown::new();
        runtime::serve::grpc(listener, routes, layer, &shutdown).await.expect("the server runs");
    });
    rpc::client::channel(&uri, KeepAlive::default()).expect("the address is a URI")
}
