//! The suite's own operations.

use gateway::Config;
use http::Method;
use serde_json::json;

use crate::{
    booking::{self, BOOKING},
    echo,
    harness::{json, request, signed_in, with},
};

#[tokio::test]
async fn a_get_is_canonical_json() {
    let (gateway, _) = booking::gateway(Config::default()).await;
    let answer = gateway.send(signed_in(request(Method::GET, &format!("/v1/{BOOKING}"), ""))).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(
        answer.json(),
        json!({
            "name": BOOKING,
            "startTime": "2027-03-01T02:00:00Z",
            "state": "STATE_CONFIRMED",
            "price": { "currencyCode": "CNY", "units": "128", "nanos": 500_000_000 },
            "version": "9007199254740993",
        })
    );
}

#[tokio::test]
async fn query_parameters_fill_the_request() {
    let (gateway, seen) = booking::gateway(Config::default()).await;
    let path = "/v1/bookings?store=stores%2F1&states=STATE_HELD&states=STATE_CONFIRMED&pageSize=20&page_token=a%26b\
                &start_time=2027-03-01T10:00:00%2B08:00";
    let answer = gateway.send(signed_in(request(Method::GET, path, ""))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["nextPageToken"], "more");
    let list = seen.lists.lock().expect("no panic holds it")[0].clone();
    assert_eq!((list.store.as_str(), list.states, list.page_size), ("stores/1", vec![1, 3], 20));
    assert_eq!(list.page_token, "a&b");
    assert_eq!(list.start_time.map(|time| time.seconds), Some(1_803_866_400));
}

#[tokio::test]
async fn a_body_and_a_path_fill_the_request_together() {
    let (gateway, seen) = booking::gateway(Config::default()).await;
    let body = r#"{"reason": "REASON_CUSTOMER_REQUEST", "requestId": "0192f3c4-7d9e-7000-8000-000000000001"}"#;
    let answer = gateway.send(signed_in(json(Method::POST, &format!("/v1/{BOOKING}:cancel"), body))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let cancel = seen.cancels.lock().expect("no panic holds it")[0].clone();
    assert_eq!((cancel.name.as_str(), cancel.reason), (BOOKING, 1));
    assert_eq!(cancel.request_id, "0192f3c4-7d9e-7000-8000-000000000001");
}

#[tokio::test]
async fn what_a_service_needs_to_know_is_sent_along() {
    let (gateway, seen) = booking::gateway(Config::default()).await;
    let mut call = signed_in(request(Method::GET, &format!("/v1/{BOOKING}"), ""));
    for (name, value) in [
        ("x-request-id", "from-the-client-1"),
        ("accept-language", "zh-CN"),
        ("cookie", "secret=1"),
        ("x-signature", "not for this operation"),
    ] {
        call = with(call, name, value);
    }
    let answer = gateway.send(call).await;
    assert_eq!(answer.header("x-request-id"), "from-the-client-1");
    assert_eq!(seen.metadata("x-request-id").as_deref(), Some("from-the-client-1"));
    assert_eq!(seen.metadata("accept-language").as_deref(), Some("zh-CN"));
    assert!(seen.metadata("authorization").is_some_and(|value| value.starts_with("Bearer ")));
    assert!(seen.metadata("grpc-timeout").is_some_and(|value| value.ends_with('m')));
    assert_eq!((seen.metadata("cookie"), seen.metadata("x-signature")), (None, None));
}

#[tokio::test]
async fn the_callers_trace_goes_on_through_the_gateways_own_span() {
    let (gateway, calls) = echo::gateway(Config::default()).await;
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    gateway.send(with(request(Method::GET, "/v1/things/1", ""), "traceparent", parent)).await;
    let sent = calls.lock().expect("no panic holds it")[0]["traceparent"].clone();
    let sent = sent.to_str().expect("text");
    assert!(sent.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && sent != parent, "{sent}");
}

#[tokio::test]
async fn a_request_without_an_id_gets_one() {
    let (gateway, seen) = booking::gateway(Config::default()).await;
    let answer = gateway.send(signed_in(request(Method::GET, &format!("/v1/{BOOKING}"), ""))).await;
    assert!(kernel::Uuid::try_parse(answer.header("x-request-id")).is_ok());
    assert_eq!(seen.metadata("x-request-id").as_deref(), Some(answer.header("x-request-id")));

    let call = with(signed_in(request(Method::GET, &format!("/v1/{BOOKING}"), "")), "x-request-id", "bad id \"");
    assert!(kernel::Uuid::try_parse(gateway.send(call).await.header("x-request-id")).is_ok());
}

#[tokio::test]
async fn head_is_get_without_its_body_and_options_says_what_there_is() {
    let (gateway, _) = booking::gateway(Config::default()).await;
    let path = format!("/v1/{BOOKING}");
    let get = gateway.send(signed_in(request(Method::GET, &path, ""))).await;
    let head = gateway.send(signed_in(request(Method::HEAD, &path, ""))).await;
    assert_eq!((head.status, head.body.len()), (get.status, 0));
    assert_eq!(head.header("content-length"), get.body.len().to_string());
    let options = gateway.send(request(Method::OPTIONS, "/v1/stores", "")).await;
    assert_eq!((options.status.as_u16(), options.header("allow")), (204, "GET, HEAD, OPTIONS, POST"));
}
