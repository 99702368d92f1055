//! Pages, probes, CORS and the headers of safety.

use gateway::{Config, config::Cors};
use http::{Method, Request};
use http_body_util::Full;

use crate::{
    booking::{self, BOOKING, PACKAGE},
    harness::{request, signed_in, with},
};

#[tokio::test]
async fn pages_load_nothing_from_elsewhere() {
    let (gateway, _) = booking::gateway(Config::default()).await;
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/docs", "text/html; charset=utf-8"),
        ("/docs/page.js", "text/javascript; charset=utf-8"),
        ("/docs/welcome.js", "text/javascript; charset=utf-8"),
        ("/docs/page.css", "text/css; charset=utf-8"),
        ("/docs/icon.svg", "image/svg+xml"),
        ("/openapi.json", "application/json"),
    ] {
        let answer = gateway.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, content_type), "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
        let text = std::str::from_utf8(&answer.body).expect("text");
        if path.starts_with("/docs") || path == "/" {
            assert!(!text.contains("https://") && !text.contains("innerHTML"), "{path}");
            assert!(!text.contains(" onclick=") && !text.contains("<style") && !text.contains("style="), "{path}");
        }
    }
    let other = gateway.send(request(Method::POST, "/docs", "")).await;
    other.refused(405, "METHOD_NOT_ALLOWED");
}

#[tokio::test]
async fn every_answer_has_the_headers_of_safety() {
    let (gateway, _) = booking::gateway(Config::default()).await;
    for path in ["/", "/v1/nowhere", "/v1/bookings", "/healthz"] {
        let answer = gateway.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert!(!answer.header("content-security-policy").is_empty(), "{path}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
    }
    let private = gateway.send(signed_in(request(Method::GET, &format!("/v1/{BOOKING}"), ""))).await;
    assert_eq!(private.header("cache-control"), "no-store");
}

#[tokio::test]
async fn probes_tell_alive_from_ready() {
    let (gateway, _) = booking::gateway(Config::default()).await;
    assert_eq!(gateway.get("/healthz").await.json()["status"], "ok");
    let ready = gateway.get("/readyz").await;
    assert_eq!((ready.status.as_u16(), &ready.json()["backends"][PACKAGE]), (200, &"SERVING".into()));
}

#[tokio::test]
async fn requests_are_measured_by_route() {
    let (gateway, _) = booking::gateway(Config::default()).await;
    gateway.send(signed_in(request(Method::GET, &format!("/v1/{BOOKING}"), ""))).await;
    gateway.get("/v1/no/such/path").await;
    let families = prometheus::default_registry().gather();
    let family =
        families.iter().find(|family| family.name() == "http_server_request_duration_seconds").expect("registered");
    let has = |wanted: [(&str, &str); 3]| {
        family.get_metric().iter().any(|metric| {
            wanted.iter().all(|(name, value)| {
                metric.get_label().iter().any(|label| label.name() == *name && label.value() == *value)
            })
        })
    };
    assert!(has([("method", "GET"), ("route", "/v1/{name=bookings/*}"), ("status", "200")]));
    assert!(has([("method", "GET"), ("route", "none"), ("status", "404")]));
}

fn from_page(call: Request<Full<bytes::Bytes>>) -> Request<Full<bytes::Bytes>> {
    with(call, "origin", "https://book.example.com")
}

#[tokio::test]
async fn configured_origins_may_call_and_read_grpc_errors() {
    let cors = Cors { allowed_origins: vec!["https://book.example.com".to_owned()] };
    let (gateway, _) = booking::gateway(Config { cors, ..Config::default() }).await;
    let preflight =
        with(from_page(request(Method::OPTIONS, "/v1/bookings:hold", "")), "access-control-request-method", "POST");
    let answer = gateway.send(preflight).await;
    assert_eq!(answer.header("access-control-allow-origin"), "https://book.example.com");
    assert!(answer.header("access-control-allow-headers").contains("x-grpc-web"), "{answer:?}");
    let refused = gateway.send(from_page(request(Method::GET, "/v1/bookings", ""))).await;
    refused.refused(401, "TOKEN_MISSING");
    let exposed = refused.header("access-control-expose-headers");
    for name in ["grpc-status", "grpc-message", "grpc-status-details-bin", "x-request-id"] {
        assert!(exposed.contains(name), "{exposed}");
    }
    let stranger = with(request(Method::GET, "/v1/bookings", ""), "origin", "https://elsewhere.example.com");
    assert_eq!(gateway.send(stranger).await.header("access-control-allow-origin"), "");
    let plain = gateway.send(request(Method::OPTIONS, "/v1/bookings", "")).await;
    assert_eq!(plain.header("allow"), "GET, HEAD, OPTIONS");
}

#[tokio::test]
async fn without_configured_origins_no_page_of_another_origin_may_call() {
    let (gateway, _) = booking::gateway(Config::default()).await;
    let answer = gateway.send(from_page(request(Method::GET, "/v1/bookings", ""))).await;
    assert_eq!(answer.header("access-control-allow-origin"), "");
}
