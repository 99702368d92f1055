//! What is done around every request: its id, its span, its metrics, its headers of safety, and the limit of how many
//! are in work.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use axum::{
    body::{Body, HttpBody},
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{
        CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, REFERRER_POLICY, TRANSFER_ENCODING,
        X_CONTENT_TYPE_OPTIONS,
    },
};
use kernel::ids::uuid_v7;
use prometheus::{HistogramOpts, HistogramVec};
use rpc::REQUEST_ID_HEADER;
use tokio::time::Instant;
use tracing::{Instrument, Span, error, field::Empty, info_span};

use crate::{app::App, errors::Failure};

/// Which route served a request; a response carries it to the metrics. A path itself would make as many series as there
/// are bookings.
#[derive(Debug, Clone)]
pub struct RouteLabel(pub Arc<str>);

/// The label of requests that no route served.
const NO_ROUTE: &str = "none";

/// Answers that aren't pages may load nothing and be framed by nobody.
const API_POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// Seconds.
const BUCKETS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

static REQUESTS: LazyLock<Option<HistogramVec>> = LazyLock::new(|| {
    let help = "How long HTTP requests took until their answer began, by route and status.";
    let options = HistogramOpts::new("http_server_request_duration_seconds", help).buckets(BUCKETS.to_vec());
    let registered = HistogramVec::new(options, &["method", "route", "status"]).and_then(|requests| {
        prometheus::default_registry().register(Box::new(requests.clone()))?;
        Ok(requests)
    });
    registered.inspect_err(|error| error!(%error, "http metrics are not registered")).ok()
});

/// The middleware around everything.
pub async fn observe(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let request_id = take_request_id(&app, request.headers_mut());
    let method = request.method().clone();
    let span = info_span!(
        "http request",
        otel.kind = "server",
        http.request.method = method.as_str(),
        http.route = Empty,
        http.response.status_code = Empty,
        request_id = request_id.to_str().unwrap_or_default(),
    );
    rpc::trace::continue_from(&span, request.headers());
    let mut response = within_limit(&app, request, next).instrument(span.clone()).await;
    if method == Method::HEAD {
        response = without_body(response);
    }
    finish_headers(response.headers_mut(), request_id);
    record(&span, &method, &response, started.elapsed());
    response
}

async fn within_limit(app: &App, request: Request, next: Next) -> Response {
    // A probe must get its answer from a busy gateway too: it is alive.
    if request.uri().path() == "/healthz" {
        return next.run(request).await;
    }
    match app.in_flight.try_acquire() {
        Ok(_permit) => next.run(request).await,
        Err(_) => Failure::overloaded().into_response(&app.pool),
    }
}

/// The id that the caller sent, if it is fit for a log line, else a new one. It goes on with the request.
fn take_request_id(app: &App, headers: &mut HeaderMap) -> HeaderValue {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
    let fit = |id: &&HeaderValue| (1..=64).contains(&id.len()) && id.as_bytes().iter().all(plain);
    let id = headers.get(REQUEST_ID_HEADER).filter(fit).cloned().unwrap_or_else(|| {
        HeaderValue::try_from(uuid_v7(app.clock.now()).to_string()).unwrap_or(HeaderValue::from_static("-"))
    });
    headers.insert(HeaderName::from_static(REQUEST_ID_HEADER), id.clone());
    id
}

/// The answer to `HEAD`: that to `GET` with its length in place of its body.
fn without_body(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    if let Some(length) = body.size_hint().exact()
        && !parts.headers.contains_key(TRANSFER_ENCODING)
    {
        parts.headers.insert(CONTENT_LENGTH, length.into());
    }
    Response::from_parts(parts, Body::empty())
}

fn finish_headers(headers: &mut HeaderMap, request_id: HeaderValue) {
    headers.insert(HeaderName::from_static(REQUEST_ID_HEADER), request_id);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(API_POLICY);
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

fn record(span: &Span, method: &Method, response: &Response, took: Duration) {
    let route = response.extensions().get::<RouteLabel>().map_or(NO_ROUTE, |label| &*label.0);
    let status = response.status();
    rpc::trace::rename(span, format!("{method} {route}"));
    span.record("http.route", route);
    span.record("http.response.status_code", status.as_u16());
    if status >= StatusCode::INTERNAL_SERVER_ERROR {
        span.in_scope(|| tracing::warn!(route, status = status.as_u16(), "request failed"));
    }
    if let Some(requests) = REQUESTS.as_ref() {
        let method = if is_standard(method) { method.as_str() } else { "_OTHER" };
        requests.with_label_values(&[method, route, status.as_str()]).observe(took.as_secs_f64());
    }
}

/// Anybody can invent methods, and each would be a time series.
fn is_standard(method: &Method) -> bool {
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS]
        .contains(method)
}
