//! Calls from web pages of other origins.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::{config::Cors, transcode::call::GRPC_TIMEOUT};

/// How long a browser may remember what it was told.
const MAX_AGE: Duration = Duration::from_secs(3_600);

/// The layer for the configured origins; none if there are none. Without credentials: tokens travel in a header of
/// their own, never in a cookie.
pub fn layer(config: &Cors) -> Option<CorsLayer> {
    let origins = match config.allowed_origins.as_slice() {
        [] => return None,
        all if all.iter().any(|origin| origin == "*") => AllowOrigin::any(),
        some => AllowOrigin::list(some.iter().filter_map(|origin| HeaderValue::from_str(origin).ok())),
    };
    let layer = CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::ACCEPT_LANGUAGE,
            HeaderName::from_static(GRPC_TIMEOUT),
            HeaderName::from_static("traceparent"),
            HeaderName::from_static("x-grpc-web"),
            HeaderName::from_static("x-request-id"),
            HeaderName::from_static("x-user-agent"),
        ])
        .expose_headers([
            header::RETRY_AFTER,
            HeaderName::from_static("grpc-status"),
            HeaderName::from_static("grpc-message"),
            HeaderName::from_static("grpc-status-details-bin"),
            HeaderName::from_static("x-request-id"),
        ])
        .max_age(MAX_AGE);
    Some(layer)
}
