//! `google.api.HttpBody`: bodies that aren't JSON.

use bytes::Bytes;
use gateway::Config;
use http::Method;
use serde_json::json;

use crate::{
    echo,
    harness::{json, request, with},
};

#[tokio::test]
async fn a_get_with_a_verb_answers_with_the_document_itself() {
    let (gateway, _) = echo::gateway(Config::default()).await;
    // "BEGIN:VCALENDAR\r\n"
    let path = "/v1/things/1.ics:download?contentType=text/calendar;%20charset%3Dutf-8&data=QkVHSU46VkNBTEVOREFSDQo";
    let answer = gateway.get(path).await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (200, &b"BEGIN:VCALENDAR\r\n"[..]));
    assert_eq!(answer.header("content-type"), "text/calendar; charset=utf-8");
    assert_eq!(answer.header("content-length"), "17");

    let head = gateway.send(request(Method::HEAD, path, "")).await;
    assert_eq!((head.status.as_u16(), head.body.len(), head.header("content-length")), (200, 0, "17"));
    assert_eq!(head.header("content-type"), "text/calendar; charset=utf-8");
}

#[tokio::test]
async fn a_document_is_kept_by_nobody_and_can_do_nothing_in_a_browser() {
    let (gateway, _) = echo::gateway(Config::default()).await;
    let call = request(Method::GET, "/v1/things/1:download?contentType=text/html&data=aGk", "");
    // There are no entity tags, so there is nothing that could be unchanged.
    let answer = gateway.send(with(call, "if-none-match", "*")).await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (200, &b"hi"[..]));
    assert_eq!((answer.header("cache-control"), answer.header("etag")), ("no-store", ""));
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
}

#[tokio::test]
async fn a_document_without_a_content_type_is_bytes() {
    let (gateway, _) = echo::gateway(Config::default()).await;
    for path in ["/v1/things/1:download?data=AP8", "/v1/things/1:download?contentType=%20&data=AP8"] {
        let answer = gateway.get(path).await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (200, &[0, 255][..]), "{path}");
        assert_eq!(answer.header("content-type"), "application/octet-stream", "{path}");
    }
    let empty = gateway.get("/v1/things/1:download?contentType=text/plain").await;
    assert_eq!((empty.status.as_u16(), empty.body.len(), empty.header("content-type")), (200, 0, "text/plain"));
}

#[tokio::test]
async fn a_content_type_that_is_no_header_is_an_error_of_the_service() {
    let (gateway, _) = echo::gateway(Config::default()).await;
    for value in [
        "text/plain%0D%0Ax-injected:%201",
        "text/plain%0Ax-injected:%201",
        "text/plain%0D",
        "%0D%0A%0D%0A%3Cscript%3E",
        "text/%00",
        "text/%E8%8C%B6",
    ] {
        let answer = gateway.get(&format!("/v1/things/1:download?contentType={value}&data=aGk")).await;
        answer.refused(500, "INTERNAL");
        assert!(!answer.headers.contains_key("x-injected"), "{value}");
    }
}

#[tokio::test]
async fn errors_are_json_all_the_same() {
    let (gateway, _) = echo::gateway(Config::default()).await;
    let answer =
        gateway.send(with(request(Method::GET, "/v1/things/broken:download", ""), "accept", "text/html")).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (404, "application/json"));
    assert_eq!(answer.json(), json!({ "code": 5, "message": "there is no such document", "details": [] }));
    gateway.get("/v1/things/1:download?colour=red").await.refused_field("colour");
    gateway.get("/v1/things/%FF:download").await.refused_field("name");
    let other = gateway.post("/v1/things/1:download", "{}").await;
    other.refused(405, "METHOD_NOT_ALLOWED");
    assert_eq!(other.header("allow"), "GET, HEAD, OPTIONS");
}

#[tokio::test]
async fn an_upload_passes_as_it_is() {
    let (gateway, _) = echo::gateway(Config::default()).await;
    let bytes: &[u8] = &[0, 159, 146, 150];
    let answer = gateway.send(with(request(Method::POST, "/v1/raw", bytes), "content-type", "image/x-test")).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "image/x-test"));
    assert_eq!(&*answer.body, bytes);

    let untyped = gateway.send(request(Method::POST, "/v1/raw", bytes)).await;
    assert_eq!((untyped.status.as_u16(), untyped.header("content-type")), (200, "application/octet-stream"));
    let broken_json = gateway.post("/v1/raw", "{ not json").await;
    assert_eq!((broken_json.status.as_u16(), &*broken_json.body), (200, &b"{ not json"[..]));
}

#[tokio::test]
async fn large_bodies_pass_both_ways() {
    let size = 3 * 1024 * 1024;
    let bytes: Bytes = (0..size).map(|index: u32| (index % 251) as u8).collect();
    let (gateway, _) = echo::gateway(Config { max_body_bytes: bytes.len(), ..Config::default() }).await;
    let upload = |bytes: Bytes| with(request(Method::POST, "/v1/raw", bytes), "content-type", "application/pdf");
    let answer = gateway.send(upload(bytes.clone())).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/pdf"));
    assert!(answer.body == bytes, "{} of {} bytes", answer.body.len(), bytes.len());

    let one_more = Bytes::from([&*bytes, &[0]].concat());
    gateway.send(upload(one_more)).await.refused(413, "BODY_TOO_LARGE");
}

#[tokio::test]
async fn a_list_of_bodies_is_json() {
    let (gateway, _) = echo::gateway(Config::default()).await;
    let bodies = json!([{ "contentType": "text/plain", "data": "aGk=" }, { "data": "AP8=" }]);
    let answer = gateway.post("/v1/parcels", &bodies.to_string()).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
    assert_eq!(answer.json(), bodies);
    gateway.send(json(Method::POST, "/v1/parcels", "hi")).await.refused(400, "MALFORMED_JSON");
}
