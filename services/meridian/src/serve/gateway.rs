//! The wiring of the gateway.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use gateway::{App, Backends, Config, Parts, config::Cors, descriptors};
use runtime::config::Service;
use tokio::net::TcpListener;

use super::Host;

/// Starts it.
pub fn start(host: &Host, listener: TcpListener) -> Result<()> {
    let http = &host.settings.http;
    let config = Config {
        max_body_bytes: http.body_limit_bytes,
        request_timeout_ms: http.timeout_seconds.saturating_mul(1_000),
        cors: Cors { allowed_origins: http.cors_origins.clone() },
        ..Config::default()
    };
    let backends = Service::ALL.into_iter().fold(Backends::new(), |backends, service| {
        backends.with(format!("meridian.{service}.v1"), host.channel(service))
    });
    let app = App::try_new(Parts {
        config,
        descriptors: descriptors()?,
        backends,
        keys: Arc::clone(&host.keys),
        clock: Arc::clone(&host.clock),
    })?;
    // A service that is away is answered for with 503; the gateway itself is ready once it listens.
    host.readiness.probe("gateway", "http").keep(&host.tasks, Duration::from_secs(5), || async { Ok(()) });
    let soft = host.tasks.shutdown().soft().clone();
    host.tasks.spawn_essential("gateway.http", gateway::serve(listener, app, soft));
    Ok(())
}
