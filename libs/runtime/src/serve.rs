//! Listening and serving.

use std::{any::Any, net::SocketAddr, time::Duration};

use axum::{Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use tokio::net::TcpListener;
use tonic::{
    body::Body,
    codegen::http::{Request, Response},
    service::Routes,
    transport::{Server, server::TcpIncoming},
};
use tower::{Layer, Service};
use tower_http::catch_panic::CatchPanicLayer;

use crate::{config::ConfigError, health::Readiness, lifecycle::Shutdown, metrics};

/// How often an idle connection is asked whether its client is still there, and how long it may take to answer.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));
/// The most calls that one connection may have open, so that one client cannot take all memory.
const MAX_STREAMS: u32 = 1_024;

/// Listens on `addr`, which the setting `key` names.
///
/// # Errors
/// When the address cannot be used; the text tells what to do.
pub async fn bind(addr: SocketAddr, key: &str) -> Result<TcpListener, ConfigError> {
    TcpListener::bind(addr).await.map_err(|error| {
        let remedy = match error.kind() {
            std::io::ErrorKind::AddrInUse => "is in use: stop the other program, or choose another port",
            std::io::ErrorKind::PermissionDenied => "may not be used by this user: choose a port above 1023",
            std::io::ErrorKind::AddrNotAvailable => "is not an address of this machine: choose one that is",
            _ => return ConfigError::new(key, format!("cannot listen on {addr}: {error}")),
        };
        ConfigError::new(key, format!("{addr} {remedy} (--set {key}=…)"))
    })
}

/// Serves gRPC on `listener` until a soft stop, then lets running calls end; a hard stop does not wait for them.
///
/// `layer` (tracing, metrics, access) is around every call. A handler that panics answers INTERNAL, and `layer` sees
/// that; without this the panic would end all calls of its connection.
///
/// # Errors
/// When the listener breaks.
pub async fn grpc<L, B>(
    listener: TcpListener,
    routes: Routes,
    layer: L,
    shutdown: &Shutdown,
) -> Result<(), tonic::transport::Error>
where
    L: Layer<Routes> + Clone,
    L::Service: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    <L::Service as Service<Request<Body>>>::Future: Send,
    <L::Service as Service<Request<Body>>>::Error: Into<tonic::codegen::StdError> + Send,
    B: axum::body::HttpBody<Data = axum::body::Bytes> + Send + 'static,
    B::Error: Into<tonic::codegen::StdError>,
{
    let routes = Routes::from(routes.into_axum_router().layer(CatchPanicLayer::custom(internal)));
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let serving = Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE.0))
        .http2_keepalive_timeout(Some(KEEPALIVE.1))
        .max_concurrent_streams(MAX_STREAMS)
        .layer(layer)
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming, shutdown.soft().clone().cancelled_owned());
    tokio::select! {
        ended = serving => ended,
        () = shutdown.hard().cancelled() => Ok(()),
    }
}

/// The answer for a handler that panicked. What the panic said is for the log only.
fn internal(panic: Box<dyn Any + Send + 'static>) -> Response<Body> {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text");
    tracing::error!(panic = text, "handler panicked");
    tonic::Status::internal("internal error").into_http()
}

/// Serves `/metrics` (Prometheus), `/healthz` (the process answers) and `/readyz` (everything is ready, else 503 and
/// what is not) on `listener` until a soft stop.
///
/// # Errors
/// When the listener breaks.
pub async fn admin(listener: TcpListener, readiness: Readiness, shutdown: &Shutdown) -> std::io::Result<()> {
    let router = Router::new()
        .route("/metrics", get(figures))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .with_state(readiness);
    let serving = axum::serve(listener, router).with_graceful_shutdown(shutdown.soft().clone().cancelled_owned());
    tokio::select! {
        ended = serving => ended,
        () = shutdown.hard().cancelled() => Ok(()),
    }
}

async fn figures() -> impl IntoResponse {
    ([("content-type", "text/plain; version=0.0.4; charset=utf-8")], metrics::render())
}

async fn ready(State(readiness): State<Readiness>) -> (StatusCode, String) {
    let unready = readiness.unready();
    if unready.is_empty() {
        return (StatusCode::OK, "ready\n".to_owned());
    }
    let lines = unready.iter().map(|part| format!("{} {}: {}\n", part.component, part.part, part.why));
    (StatusCode::SERVICE_UNAVAILABLE, lines.collect())
}
