//! What callers get wrong, and what they are told.

use gateway::Config;
use http::Method;

use crate::{
    booking::{self, BOOKING},
    echo,
    harness::{json, request, signed_in, with},
};

#[tokio::test]
async fn an_unknown_path_and_an_unknown_method_differ() {
    let (gateway, _) = booking::gateway(Config::default()).await;
    gateway.get("/v1/nowhere").await.refused(404, "NO_ROUTE");
    gateway.post(&format!("/v1/{BOOKING}:frobnicate"), "{}").await.refused(404, "NO_ROUTE");
    let other = gateway.send(request(Method::DELETE, "/v1/bookings", "")).await;
    assert_eq!(other.refused(405, "METHOD_NOT_ALLOWED")["code"], 12);
    assert_eq!(other.header("allow"), "GET, HEAD, OPTIONS");
}

#[tokio::test]
async fn an_unknown_json_field_is_named_with_its_place() {
    let (gateway, seen) = booking::gateway(Config::default()).await;
    let body = "{\n  \"store\": \"stores/1\",\n  \"colour\": 1\n}";
    let answer = gateway.send(signed_in(json(Method::POST, "/v1/bookings:hold", body))).await;
    let error = answer.refused_field("colour");
    assert!(error["message"].as_str().is_some_and(|text| text.contains("line 3")), "{error}");
    assert_eq!(seen.calls(), 0);
}

#[tokio::test]
async fn a_value_of_the_wrong_type_is_named() {
    let (gateway, _) = echo::gateway(Config::default()).await;
    for (body, field) in [
        (r#"{"count": "many"}"#, "count"),
        (r#"{"count": 3000000000}"#, "count"),
        (r#"{"nested": {"color": "PURPLE"}}"#, "nested.color"),
        (r#"{"nested": {"unheardOf": 1}}"#, "nested.unheardOf"),
        (r#"{"children": [{}, {"startTime": "yesterday"}]}"#, "children[1].startTime"),
        (r#"{"createTime": "2027-03-01"}"#, "createTime"),
        (r#"{"data": "%%%"}"#, "data"),
        (r#"{"mask": "a_b"}"#, "mask"),
    ] {
        gateway.post("/v1/things", body).await.refused_field(field);
    }
    gateway.post("/v1/things", "[]").await.refused(400, "INVALID_ARGUMENT");
    gateway.post("/v1/things", r#"{"left": "a", "right": "b"}"#).await.refused(400, "INVALID_ARGUMENT");
}

#[tokio::test]
async fn malformed_json_is_told_by_line_and_column() {
    let (gateway, _) = echo::gateway(Config::default()).await;
    for (body, place) in [
        ("{\"name\": \"x\",\n  oops}", "line 2 column 3"),
        ("{\"name\": ", "line 1 column 9"),
        ("{} {}", "line 1 column 4"),
        ("not json", "line 1 column 2"),
    ] {
        let error = gateway.post("/v1/things", body).await.refused(400, "MALFORMED_JSON");
        assert!(error["message"].as_str().is_some_and(|text| text.contains(place)), "{body}: {error}");
    }
    let not_text =
        json(Method::POST, "/v1/things", "").map(|_| bytes::Bytes::from_static(b"{\"name\": \"\xff\"}").into());
    gateway.send(not_text).await.refused(400, "MALFORMED_JSON");
}

#[tokio::test]
async fn a_field_that_is_given_twice_is_refused() {
    let (gateway, _) = echo::gateway(Config::default()).await;
    for (body, key) in [
        (r#"{"count": 1, "count": 2}"#, "count"),
        (r#"{"createTime": null, "create_time": "2027-03-01T00:00:00Z"}"#, "create_time"),
        (r#"{"nested": {"name": "a"}, "nested": {"color": "RED"}}"#, "nested"),
        (r#"{"nested": {"name": "a", "name": "b"}}"#, "name"),
        (r#"{"children": [{}, {"name": "a", "name": "b"}]}"#, "name"),
        (r#"{"labels": {"a": "1", "a": "2"}}"#, "a"),
    ] {
        let error = gateway.post("/v1/things", body).await.refused(400, "INVALID_ARGUMENT");
        let expected = format!("{key}: is given more than once at line 1 column ");
        assert!(error["message"].as_str().is_some_and(|text| text.starts_with(&expected)), "{error}");
    }
    let distinct = r#"{"labels": {"start_time": "1", "startTime": "2"}, "children": [{"name": "a"}, {"name": "a"}]}"#;
    assert_eq!(gateway.post("/v1/things", distinct).await.status, 200);
}

#[tokio::test]
async fn large_headers_are_refused_and_disturb_nobody() {
    let (gateway, seen) = booking::gateway(Config::default()).await;
    let slow = with(signed_in(request(Method::GET, "/v1/bookings/slow", "")), "grpc-timeout", "2S");
    let attack = async {
        testkit::eventually(std::time::Duration::from_secs(10), || async { seen.calls() == 1 }).await;
        let mut call = with(
            request(Method::POST, "/meridian.booking.v1.BookingService/Nothing", ""),
            "content-type",
            "application/grpc-web",
        );
        for number in 0..20 {
            call = with(call, &format!("x-filler-{number}"), &"#".repeat(10_000));
        }
        gateway.send(call).await
    };
    let (slow, answer) = tokio::join!(gateway.send(slow), attack);
    // Had the backend hung up, it would be a 503.
    slow.refused(504, "DEADLINE_EXCEEDED");
    assert_eq!((answer.status.as_u16(), answer.header("grpc-status")), (200, "3"));
    let rest = with(request(Method::GET, "/v1/stores", ""), "authorization", &"x".repeat(20_000));
    gateway.send(rest).await.refused(431, "HEADERS_TOO_LARGE");
}

#[tokio::test]
async fn json_nested_without_end_is_refused() {
    let (gateway, _) = echo::gateway(Config::default()).await;
    let body = format!("{}{}", "{\"nested\":".to_owned() + &"{\"inner\":".repeat(10_000), "}".repeat(10_001));
    let answer = gateway.post("/v1/things", &body).await;
    assert_eq!(answer.status, 400, "{answer:?}");
}

#[tokio::test]
async fn another_content_type_is_refused() {
    let (gateway, _) = echo::gateway(Config::default()).await;
    for value in ["application/x-www-form-urlencoded", "text/json", "application/jsonp"] {
        let call = with(request(Method::POST, "/v1/things", "{}"), "content-type", value);
        gateway.send(call).await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    gateway.send(request(Method::POST, "/v1/things", "{}")).await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
    // Without a body there is nothing to be of a type.
    assert_eq!(gateway.send(request(Method::POST, "/v1/things", "")).await.status, 200);
}

#[tokio::test]
async fn a_body_of_2_mb_is_refused_with_an_answer() {
    let (gateway, seen) = booking::gateway(Config::default()).await;
    let body = format!("{{\"store\": \"{}\"}}", "x".repeat(2 * 1024 * 1024));
    let announced = gateway.send(signed_in(json(Method::POST, "/v1/bookings:hold", &body))).await;
    assert_eq!(announced.refused(413, "BODY_TOO_LARGE")["code"], 3);
    assert_eq!(seen.calls(), 0);
}

#[tokio::test]
async fn a_large_body_of_unknown_length_is_refused_too() {
    use std::io::{Read, Write};

    let (gateway, _) = echo::gateway(Config { max_body_bytes: 1024, ..Config::default() }).await;
    let address = gateway.address;
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(address).expect("connected");
        let head = "POST /v1/things HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                    transfer-encoding: chunked\r\nconnection: close\r\n\r\n";
        stream.write_all(head.as_bytes()).expect("sent");
        for _ in 0..64 {
            stream.write_all(format!("400\r\n{}\r\n", "x".repeat(1024)).as_bytes()).expect("sent");
        }
        stream.write_all(b"0\r\n\r\n").expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    })
    .await
    .expect("no panic");
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("BODY_TOO_LARGE"), "{answer}");
}

#[tokio::test]
async fn wrong_query_parameters_are_named() {
    let (gateway, _) = echo::gateway(Config::default()).await;
    for (query, field) in [
        ("colour=red", "colour"),
        ("nested.colour=RED", "nested.colour"),
        ("count.x=1", "count.x"),
        ("createTime.seconds=1", "createTime.seconds"),
        ("count=many", "count"),
        ("count=1&count=2", "count"),
        ("count=0&count=0", "count"),
        ("colors=PURPLE", "colors"),
        ("nested=x", "nested"),
        ("labels=x", "labels"),
        ("left=a&right=b", "right"),
        ("createTime=yesterday", "createTime"),
        ("on=yes", "on"),
        ("=1", ""),
    ] {
        gateway.get(&format!("/v1/things?{query}")).await.refused(400, "INVALID_ARGUMENT");
        if !field.is_empty() {
            gateway.get(&format!("/v1/things?{query}")).await.refused_field(field);
        }
    }
    gateway.get("/v1/things/1?name=things%2F2").await.refused_field("name");
    gateway.post("/v1/things?count=1", "{}").await.refused_field("count");
    gateway.send(json(Method::PATCH, "/v1/things/1?nested.color=RED", "{}")).await.refused_field("nested.color");
}

#[tokio::test]
async fn what_a_path_holds_must_fit_its_field() {
    let (gateway, _) = echo::gateway(Config::default()).await;
    gateway.get("/v1/counts/many").await.refused_field("count");
    gateway.get("/v1/things/%FF").await.refused_field("name");
    let other = json(Method::PUT, "/v1/things/1", r#"{"name": "things/2"}"#);
    gateway.send(other).await.refused_field("name");
    let same = json(Method::PUT, "/v1/things/1", r#"{"name": "things/1"}"#);
    assert_eq!(gateway.send(same).await.status, 200);
}

#[tokio::test]
async fn a_body_where_none_is_taken_is_refused() {
    let (gateway, _) = echo::gateway(Config::default()).await;
    gateway.send(json(Method::GET, "/v1/things", "{}")).await.refused(400, "INVALID_ARGUMENT");
}

#[tokio::test]
async fn a_timeout_that_cannot_be_read_is_refused() {
    let (gateway, _) = echo::gateway(Config::default()).await;
    let call = with(request(Method::GET, "/v1/things/1", ""), "grpc-timeout", "soon");
    gateway.send(call).await.refused_field("grpc-timeout");
}
