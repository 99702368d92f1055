//! Tokens against the real layer.

use kernel::ids::MemberId;
use rpc::token::Verifier;
use testkit::{START, clock, keys};

fn member() -> MemberId {
    MemberId::new(START)
}

async fn verdict(token: &str) -> Result<String, &'static str> {
    let verifier = Verifier::new(keys().trusted(), clock());
    let caller = verifier.verify(token).await;
    caller.map(|caller| caller.subject().to_owned()).map_err(|error| error.reason())
}

#[tokio::test]
async fn good_tokens_are_taken() {
    let id = member();
    assert_eq!(verdict(&keys().member_token(id)).await, Ok(id.name()));
    assert_eq!(verdict(&keys().service_token("booking")).await, Ok("services/booking".to_owned()));
}

#[tokio::test]
async fn bad_tokens_are_refused_for_their_reason() {
    let (keys, id) = (keys(), member());
    for (token, reason) in [
        (keys.expired_token(id), "TOKEN_EXPIRED"),
        (keys.wrong_audience_token(id), "TOKEN_WRONG_AUDIENCE"),
        (keys.wrong_issuer_token(id), "TOKEN_INVALID"),
        (keys.forged_token(id), "TOKEN_INVALID"),
        (keys.forged_service_token("booking"), "TOKEN_INVALID"),
        (keys.unsigned_token(id), "TOKEN_INVALID"),
    ] {
        assert_eq!(verdict(&token).await, Err(reason));
    }
}
