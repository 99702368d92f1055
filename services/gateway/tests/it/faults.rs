//! Errors of services, time that runs out, services that are away, and too many callers.

use std::time::Duration;

use gateway::{Backends, Config};
use http::Method;
use rpc::client::KeepAlive;
use tokio::net::TcpListener;

use crate::{
    booking::{self, BOOKING, PACKAGE},
    harness::{Gateway, request, signed_in, with},
};

#[tokio::test]
async fn an_error_of_a_service_comes_through_with_its_details() {
    let (gateway, _) = booking::gateway(Config::default()).await;
    let taken = gateway.send(signed_in(request(Method::GET, "/v1/bookings/taken", ""))).await;
    let json = taken.refused(400, "SLOT_TAKEN");
    assert_eq!((&json["code"], &json["message"]), (&9.into(), &"this time was just taken".into()));
    let gone = gateway.send(signed_in(request(Method::GET, "/v1/bookings/gone", ""))).await;
    assert_eq!(gone.refused(404, "NOT_FOUND")["code"], 5);
}

#[tokio::test]
async fn the_caller_can_ask_for_less_time() {
    let (gateway, seen) = booking::gateway(Config::default()).await;
    let call = with(signed_in(request(Method::GET, "/v1/bookings/slow", "")), "grpc-timeout", "80m");
    assert_eq!(gateway.send(call).await.refused(504, "DEADLINE_EXCEEDED")["code"], 4);
    let sent = seen.metadata("grpc-timeout").expect("it is forwarded");
    let millis: u64 = sent.trim_end_matches('m').parse().expect("milliseconds");
    assert!(millis <= 80, "{sent}");
}

#[tokio::test]
async fn the_gateway_has_a_limit_of_its_own() {
    let (gateway, _) = booking::gateway(Config { request_timeout_ms: 80, ..Config::default() }).await;
    let call = with(signed_in(request(Method::GET, "/v1/bookings/slow", "")), "grpc-timeout", "1H");
    gateway.send(call).await.refused(504, "DEADLINE_EXCEEDED");
}

#[tokio::test]
async fn a_service_that_is_away_is_named_and_the_caller_told_to_come_again() {
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = free.local_addr().expect("an address");
    drop(free);
    let channel = rpc::client::channel(&format!("http://{address}"), KeepAlive::default()).expect("a URI");
    let descriptors = gateway::descriptors().expect("valid");
    let gateway = Gateway::start(descriptors, Backends::new().with(PACKAGE, channel), Config::default()).await;
    let answer = gateway.get("/v1/stores").await;
    let json = answer.refused(503, "UNAVAILABLE");
    assert_eq!(json["message"], "booking is not reachable now; try again");
    assert_eq!(answer.header("retry-after"), "1");
    // A package without a backend is the same to a caller.
    gateway.get("/.well-known/jwks.json").await.refused(503, "UNAVAILABLE");
    let ready = gateway.get("/readyz").await;
    assert_eq!((ready.status.as_u16(), &ready.json()["backends"][PACKAGE]), (503, &"UNREACHABLE".into()));
}

#[tokio::test]
async fn one_caller_too_many_is_shed() {
    let config = Config { max_in_flight: 1, ..Config::default() };
    let (gateway, seen) = booking::gateway(config).await;
    let slow = with(signed_in(request(Method::GET, "/v1/bookings/slow", "")), "grpc-timeout", "10S");
    let held = gateway.send(slow);
    let shed = async {
        testkit::eventually(Duration::from_secs(5), || async { seen.calls() == 1 }).await;
        let answer = gateway.send(signed_in(request(Method::GET, &format!("/v1/{BOOKING}"), ""))).await;
        answer.refused(503, "OVERLOADED");
        assert_eq!(answer.header("retry-after"), "1");
        assert_eq!(gateway.get("/healthz").await.status, 200, "it is busy, not dead");
    };
    tokio::select! {
        answer = held => panic!("the slow call ended: {answer:?}"),
        () = shed => {}
    }
    // The slow caller has hung up, so there is room again.
    testkit::eventually(Duration::from_secs(5), || async {
        gateway.send(signed_in(request(Method::GET, &format!("/v1/{BOOKING}"), ""))).await.status == 200
    })
    .await;
}

#[tokio::test]
async fn a_stopping_gateway_finishes_what_it_has_begun() {
    let (gateway, seen) = booking::gateway(Config { request_timeout_ms: 300, ..Config::default() }).await;
    let held = gateway.send(signed_in(request(Method::GET, "/v1/bookings/slow", "")));
    let stop = async {
        testkit::eventually(Duration::from_secs(5), || async { seen.calls() == 1 }).await;
        gateway.stop.cancel();
    };
    let (answer, ()) = tokio::join!(held, stop);
    answer.refused(504, "DEADLINE_EXCEEDED");
}
