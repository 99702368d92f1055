//! Streams of replies as newline-delimited JSON.

use gateway::Config;
use http::Method;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::{
    echo,
    harness::{Answer, request},
};

fn lines(answer: &Answer) -> Vec<Value> {
    let text = std::str::from_utf8(&answer.body).expect("text");
    assert!(text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).expect("each line is a document")).collect()
}

#[tokio::test]
async fn each_reply_is_a_line() {
    let (gateway, _) = echo::gateway(Config::default()).await;
    let answer = gateway.get("/v1/things/1:watch?tags=a").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/x-ndjson"));
    assert_eq!(lines(&answer), vec![json!({ "name": "things/1", "tags": ["a"] }); 3]);
}

#[tokio::test]
async fn an_error_on_the_way_is_the_last_line() {
    let (gateway, _) = echo::gateway(Config::default()).await;
    let answer = gateway.get("/v1/things/broken:watch").await;
    let lines = lines(&answer);
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[2], json!({ "error": { "code": 10, "message": "the watch broke", "details": [] } }));
}

#[tokio::test]
async fn lines_come_as_they_are_made_and_a_stopping_gateway_ends_the_stream() {
    let (gateway, _) = echo::gateway(Config::default()).await;
    let answer = gateway.open(request(Method::GET, "/v1/things/endless:watch", "")).await;
    let mut body = answer.into_body();
    for _ in 0..2 {
        let line = body.frame().await.expect("a line").expect("no error").into_data().expect("data");
        assert_eq!(&*line, b"{\"name\":\"things/endless\"}\n");
    }
    gateway.stop.cancel();
    let last = body.collect().await.expect("an end").to_bytes();
    let last: Value = serde_json::from_slice(&last).expect("a last line");
    assert_eq!(last["error"]["code"], 14);
}
