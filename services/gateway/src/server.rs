//! The router, and serving it.

use std::{any::Any, convert::Infallible, io, pin::pin, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    middleware,
    response::Response,
};
use http::{Method, header::ACCESS_CONTROL_REQUEST_METHOD};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::Code;
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;

use crate::{app::App, body, cors, errors::Failure, observe, pages, proxy, rest};

/// How long a client may take to send its headers.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// How often an HTTP/2 client is asked whether it is there, and how long it may take to answer.
const PING_EVERY: Duration = Duration::from_secs(20);
const PING_TIME: Duration = Duration::from_secs(10);
/// How many calls one HTTP/2 connection may have open.
const MAX_STREAMS: u32 = 1_024;
/// How much path and headers may take, counted as in RFC 9113, section 10.5.1. Much of it goes on to a backend over a
/// connection that all callers share: a backend takes 16 KiB, and hangs up on who sends much more.
const MAX_HEADER_BYTES: usize = 12 * 1024;
/// What HTTP/2 adds for each header.
const PER_HEADER: usize = 32;
/// How long no connection is accepted after one couldn't be for want of something.
const ACCEPT_PAUSE: Duration = Duration::from_millis(250);

/// The gateway as a service.
pub fn router(app: App) -> Router {
    let pool = app.pool.clone();
    let panicked = move |panic: Box<dyn Any + Send + 'static>| -> Response {
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        tracing::error!(panic = text.unwrap_or("without a text"), "a request handler panicked");
        Failure::new(Code::Internal, "INTERNAL", "internal error").into_response(&pool)
    };
    let plain = Router::new()
        .fallback(dispatch)
        .with_state(app.clone())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(app.clone(), observe::observe));
    match cors::layer(&app.config.cors) {
        None => plain,
        Some(layer) => with_cors(plain, layer),
    }
}

/// The CORS layer answers every `OPTIONS` itself, but only those of browsers are meant for it.
fn with_cors(plain: Router, layer: tower_http::cors::CorsLayer) -> Router {
    let shared = plain.clone().layer(layer);
    Router::new().fallback_service(tower::service_fn(move |request: Request| {
        let asks_for_methods =
            request.method() == Method::OPTIONS && !request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        let router = if asks_for_methods { plain.clone() } else { shared.clone() };
        async move { Ok::<_, Infallible>(router.oneshot(request).await.unwrap_or_else(|never| match never {})) }
    }))
}

async fn dispatch(State(app): State<App>, request: Request<Body>) -> Response {
    let is_grpc = proxy::wants(request.headers());
    if header_bytes(&request) > MAX_HEADER_BYTES {
        let failure = Failure::headers_too_large(MAX_HEADER_BYTES);
        let (parts, body) = request.into_parts();
        body::discard(&parts.headers, body).await;
        return if is_grpc { failure.into_status().into_http() } else { failure.into_response(&app.pool) };
    }
    if is_grpc {
        return proxy::serve(&app, request).await;
    }
    let (parts, body) = request.into_parts();
    match pages::serve(&app, &parts.method, parts.uri.path()).await {
        Some(page) => page,
        None => rest::serve(&app, parts, body).await,
    }
}

fn header_bytes(request: &Request<Body>) -> usize {
    let path = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
    request.headers().iter().fold(path, |sum, (name, value)| sum + name.as_str().len() + value.len() + PER_HEADER)
}

/// Serves HTTP/1.1 and HTTP/2 (without TLS) on `listener` until `shutdown`, then takes no more connections, ends the
/// streams and lets the other requests finish.
pub async fn serve(listener: TcpListener, app: App, shutdown: CancellationToken) -> io::Result<()> {
    let router = router(app.clone());
    let builder = connections();
    let open = TaskTracker::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(open.spawn(connection(builder.clone(), stream, router.clone(), shutdown.clone()))),
                Err(error) => pause_after(error).await,
            },
        }
    }
    drop(listener);
    app.stopping.cancel();
    open.close();
    open.wait().await;
    Ok(())
}

/// Limits of a connection: a client can't hold one by sending its headers slowly or by silently going away.
fn connections() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIME);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_TIME)
        .max_concurrent_streams(MAX_STREAMS);
    builder
}

async fn connection(builder: Builder<TokioExecutor>, stream: TcpStream, router: Router, shutdown: CancellationToken) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "nagle's algorithm stays on");
    }
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}

/// A connection that broke while it was accepted is its client's affair. Anything else is a lack (of file descriptors,
/// of memory), which trying again at once would only make worse.
async fn pause_after(error: io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::error!(%error, "no connection can be accepted");
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
}
