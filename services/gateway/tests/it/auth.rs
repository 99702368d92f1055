//! The token check at the door.

use gateway::Config;
use http::Method;
use serde_json::json;

use crate::{
    booking::{self, BOOKING},
    echo,
    harness::{member, request, with},
};

#[tokio::test]
async fn bad_tokens_never_reach_a_service() {
    let (gateway, seen) = booking::gateway(Config::default()).await;
    let keys = testkit::keys();
    for (token, reason) in [
        (keys.expired_token(member()), "TOKEN_EXPIRED"),
        (keys.wrong_audience_token(member()), "TOKEN_WRONG_AUDIENCE"),
        (keys.wrong_issuer_token(member()), "TOKEN_INVALID"),
        (keys.forged_token(member()), "TOKEN_INVALID"),
        (keys.unsigned_token(member()), "TOKEN_INVALID"),
        ("rubbish".to_owned(), "TOKEN_INVALID"),
        // Services talk to each other directly.
        (keys.service_token("payment"), "TOKEN_INVALID"),
    ] {
        let call =
            with(request(Method::GET, &format!("/v1/{BOOKING}"), ""), "authorization", &format!("Bearer {token}"));
        let answer = gateway.send(call).await;
        assert_eq!(answer.refused(401, reason)["code"], 16);
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"meridian\", error=\"invalid_token\"");
    }
    let basic = with(request(Method::GET, &format!("/v1/{BOOKING}"), ""), "authorization", "Basic eDp5");
    gateway.send(basic).await.refused(401, "TOKEN_INVALID");
    assert_eq!(seen.calls(), 0);
}

#[tokio::test]
async fn without_a_token_only_public_operations_are_served() {
    let (gateway, seen) = booking::gateway(Config::default()).await;
    let answer = gateway.get(&format!("/v1/{BOOKING}")).await;
    answer.refused(401, "TOKEN_MISSING");
    assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"meridian\"");
    assert_eq!(seen.calls(), 0);
    let search = "/v1/stores/1/slots:search?item=items/1&start_time=2027-03-01T00:00:00Z&end_time=2027-03-02T00:00:00Z";
    let answer = gateway.get(search).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({})));
}

#[tokio::test]
async fn an_operation_without_a_rule_is_not_public() {
    let (gateway, calls) = echo::gateway(Config::default()).await;
    gateway.get("/v1/closed").await.refused(401, "TOKEN_MISSING");
    assert!(calls.lock().expect("no panic holds it").is_empty());
}
