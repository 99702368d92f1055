//! gRPC and gRPC-Web: the bytes of a call pass through to the backend of its package, both ways, as they are.

use std::convert::Infallible;

use axum::body::Body;
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Response, Version,
    header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TE, TRANSFER_ENCODING, UPGRADE},
};
use http_body_util::{BodyStream, StreamBody};
use tonic::{Code, Status};
use tonic_web::GrpcWebLayer;
use tower::{Layer, Service, ServiceExt};

use crate::{
    app::App,
    auth,
    errors::Failure,
    observe::RouteLabel,
    transcode::call::{self, GRPC_TIMEOUT},
};

/// Headers of one connection, which aren't passed on.
const HOP_BY_HOP: [HeaderName; 6] =
    [CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING, UPGRADE, HeaderName::from_static("keep-alive")];

const GRPC_WEB: &[u8] = b"application/grpc-web";

/// Whether a request is gRPC or gRPC-Web.
pub fn wants(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

/// Serves one call.
pub async fn serve(app: &App, request: Request<Body>) -> Response<Body> {
    let label = app.rpcs.get(request.uri().path()).map(|rpc| RouteLabel(rpc.path.clone()));
    let is_web = request.headers().get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(GRPC_WEB));
    let forward = tower::service_fn(|request: Request<tonic::body::Body>| async {
        let request = if is_web { request.map(of_unknown_length) } else { request };
        Ok::<_, Infallible>(forward(app, request).await.unwrap_or_else(|failure| failure.into_status().into_http()))
    });
    // It leaves plain gRPC as it is.
    let Ok(response) = GrpcWebLayer::new().layer(forward).call(request).await;
    let mut response = response.map(Body::new);
    if let Some(label) = label {
        response.extensions_mut().insert(label);
    }
    response
}

/// A gRPC-Web body tells the length of what was sent, which isn't that of what it decodes to.
fn of_unknown_length(body: tonic::body::Body) -> tonic::body::Body {
    tonic::body::Body::new(StreamBody::new(BodyStream::new(body)))
}

async fn forward(app: &App, mut request: Request<tonic::body::Body>) -> Result<Response<tonic::body::Body>, Failure> {
    let path = request.uri().path().to_owned();
    let (package, channel) = package_of(&path)
        .and_then(|package| Some((package, app.backends.channel(package)?)))
        .ok_or_else(|| Failure::new(Code::Unimplemented, "NO_ROUTE", format!("{path} is not offered here")))?;
    call::wanted_timeout(request.headers())?;
    auth::check(app, &path, request.headers()).await?;

    let headers = request.headers_mut();
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
    headers.insert(TE, HeaderValue::from_static("trailers"));
    if !headers.contains_key(GRPC_TIMEOUT) && app.rpcs.get(&*path).is_some_and(|rpc| !rpc.streaming) {
        headers.extend(call::timeout_header(app.config.request_timeout()));
    }
    rpc::trace::inject_headers(headers);
    *request.version_mut() = Version::HTTP_2;
    let answer = channel.oneshot(request).await;
    answer.map_err(|error| Failure::from_backend(Status::from_error(error.into()), package))
}

/// The package in `/package.Service/Method`.
fn package_of(path: &str) -> Option<&str> {
    let (service, _method) = path.strip_prefix('/')?.split_once('/')?;
    service.rsplit_once('.').map(|(package, _)| package)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_is_all_before_the_service() {
        assert_eq!(package_of("/meridian.booking.v1.BookingService/GetBooking"), Some("meridian.booking.v1"));
        assert_eq!(package_of("/BookingService/GetBooking"), None);
        assert_eq!(package_of("/"), None);
    }
}
