//! The odd corners of the annotations and of the JSON mapping.

use gateway::Config;
use http::Method;
use serde_json::json;

use crate::{
    echo,
    harness::{json, request, with},
};

#[tokio::test]
async fn every_kind_of_query_parameter() {
    let (gateway, _) = echo::gateway(Config::default()).await;
    let query = "name=things/7&nested.color=RED&nested.inner.name=a+b&nested.start_time=2027-03-01T10:00:00%2B08:00\
                 &tags=a&tags=b%2Cc&colors=RED&colors=2&big=-9007199254740993&count=3&weight=1.5&on=true&data=_-8\
                 &createTime=2027-03-01T10:00:00+08:00&age=90s&mask=nested.startTime,tags&maybe=0&nickname=&right=r&rank=0";
    let answer = gateway.get(&format!("/v1/things?{query}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        answer.json(),
        json!({
            "name": "things/7",
            "nested": { "color": "RED", "inner": { "name": "a b" }, "startTime": "2027-03-01T02:00:00Z" },
            "tags": ["a", "b,c"],
            "colors": ["RED", "GREEN"],
            "big": "-9007199254740993",
            "count": 3,
            "weight": 1.5,
            "on": true,
            "data": "/+8=",
            "createTime": "2027-03-01T02:00:00Z",
            "age": "90s",
            "mask": "nested.startTime,tags",
            "maybe": "0",
            "nickname": "",
            "right": "r",
            "rank": 0,
        })
    );
}

#[tokio::test]
async fn paths_of_every_shape() {
    let (gateway, _) = echo::gateway(Config::default()).await;
    for (path, expected) in [
        ("/v1/things/a%20b", json!({ "name": "things/a b" })),
        ("/v1/things/a%2Fb", json!({ "name": "things/a%2Fb" })),
        (
            "/v1/shelves/1/things/2?nested.color=RED",
            json!({ "nested": { "name": "shelves/1/things/2", "color": "RED" } }),
        ),
        ("/v1/files/a/b/c.txt", json!({ "name": "a/b/c.txt" })),
        ("/v1/counts/42", json!({ "count": 42 })),
    ] {
        let answer = gateway.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (200, expected), "{path}");
    }
}

#[tokio::test]
async fn a_body_is_the_message_or_one_field_of_it() {
    let (gateway, _) = echo::gateway(Config::default()).await;
    let whole =
        r#"{"name": "n", "labels": {"k": "v"}, "children": [{"color": 1}], "maybe": "5", "big": 12, "left": null}"#;
    let expected =
        json!({ "name": "n", "labels": { "k": "v" }, "children": [{ "color": "RED" }], "maybe": "5", "big": "12" });
    assert_eq!(gateway.post("/v1/things", whole).await.json(), expected);

    let patch = json(Method::PATCH, "/v1/things/1?mask=nested.color&count=2", r#"{"color": "GREEN"}"#);
    let expected = json!({ "nested": { "name": "things/1", "color": "GREEN" }, "mask": "nested.color", "count": 2 });
    assert_eq!(gateway.send(patch).await.json(), expected);

    assert_eq!(gateway.post("/v1/things:tag", r#"["a", "b"]"#).await.json(), json!({ "tags": ["a", "b"] }));
    gateway.post("/v1/things:tag", r#"["a", 1]"#).await.refused_field("tags");
}

#[tokio::test]
async fn an_answer_can_be_one_field_of_the_message() {
    let (gateway, _) = echo::gateway(Config::default()).await;
    assert_eq!(gateway.get("/v1/parts/tags?tags=a&tags=b").await.json(), json!(["a", "b"]));
    assert_eq!(gateway.get("/v1/parts/tags").await.json(), json!([]));
    assert_eq!(gateway.get("/v1/parts/nested?nested.color=RED").await.json(), json!({ "color": "RED" }));
    assert_eq!(gateway.get("/v1/parts/nested").await.json(), json!({}));
}

#[tokio::test]
async fn a_providers_notice_comes_with_its_signature() {
    let (gateway, calls) = echo::gateway(Config::default()).await;
    let mut notice =
        with(request(Method::POST, "/v1/notices:take/sandbox", "{ \"b\":1 }"), "content-type", "application/json");
    for (name, value) in [
        ("x-event", "paid"),
        ("sandbox-signature", "s1"),
        ("wechatpay-serial", "7"),
        ("my-timestamp", "9"),
        ("cookie", "c"),
    ] {
        notice = with(notice, name, value);
    }
    let answer = gateway.send(notice).await;
    assert_eq!(&*answer.body, b"{ \"b\":1 }", "not a byte is touched");
    {
        let calls = calls.lock().expect("no panic holds it");
        for (name, value) in
            [("x-event", "paid"), ("sandbox-signature", "s1"), ("wechatpay-serial", "7"), ("my-timestamp", "9")]
        {
            assert_eq!(calls[0].get(name).map(http::HeaderValue::as_bytes), Some(value.as_bytes()), "{name}");
        }
        assert!(!calls[0].contains_key("cookie"));
    }
    let shown =
        gateway.send(with(request(Method::POST, "/v1/notices:show/sandbox", "hi"), "content-type", "text/plain")).await;
    let expected = json!({ "provider": "sandbox", "body": { "contentType": "text/plain", "data": "aGk=" } });
    assert_eq!(shown.json(), expected);
}

#[test]
fn annotations_that_cannot_be_served_are_named() {
    for (rule, problem) in [
        ("{get: \"/v1/{nothing}\"}", "there is no such field"),
        ("{get: \"/v1/{at}\"}", "a message can't be in a path"),
        ("{get: \"/v1/{many}\"}", "a repeated field can't be in a path"),
        ("{get: \"v1\"}", "must begin with a slash"),
        ("{post: \"/v1\" body: \"nothing\"}", "there is no such field"),
        ("{get: \"/v1/x\" additional_bindings {get: \"/v1/x\"}}", "is bound twice"),
    ] {
        let text = format!(
            "syntax = \"proto3\"; package t; import \"google/api/annotations.proto\";\
             message M {{ string name = 1; repeated string many = 2; M at = 3; }}\
             service S {{ rpc Call(M) returns (M) {{ option (google.api.http) = {rule}; }} }}"
        );
        let pool = echo::compile("bad.proto", text.leak()).expect("a valid proto");
        let error = gateway::routes::build::routes(&pool).expect_err("it can't be served");
        let chain = format!("{error}");
        assert!(chain.contains("t.S.Call") && chain.contains(problem), "{chain}");
    }
}
