//! Access tokens and the keys that sign them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, VerifyingKey};
use kernel::ids::MemberId;
use membership::worker::rotate_keys;
use proto::membership::v1::GetJwksRequest;
use serde_json::Value;

use crate::world::*;

async fn jwks(world: &World) -> Vec<Value> {
    let body = world.auth().get_jwks(GetJwksRequest {}).await.expect("answers").into_inner();
    assert_eq!(body.content_type, "application/json");
    let set: Value = serde_json::from_slice(&body.data).expect("JSON");
    set["keys"].as_array().expect("a list").clone()
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}

/// Verifies as RFC 7515 and RFC 8037 say, with nothing of ours.
fn verifies(token: &str, keys: &[Value]) -> bool {
    let (signed, signature) = token.rsplit_once('.').expect("three parts");
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    let signature = Signature::from_slice(&signature).expect("64 bytes");
    let kid = &part(token, 0)["kid"];
    keys.iter().filter(|key| key["kid"] == *kid).any(|key| {
        assert_eq!((&key["kty"], &key["crv"]), (&Value::from("OKP"), &Value::from("Ed25519")));
        assert_eq!(key.get("d"), None, "the private half stays here");
        let x = URL_SAFE_NO_PAD.decode(key["x"].as_str().expect("text")).expect("base64url");
        let key = VerifyingKey::from_bytes(&x.try_into().expect("32 bytes")).expect("a point");
        key.verify_strict(signed.as_bytes(), &signature).is_ok()
    })
}

#[tokio::test]
async fn a_token_verifies_by_the_published_keys() {
    let world = world().await;
    let reply = world.register(PHONE).await;
    let token = &reply.access_token;
    assert!(verifies(token, &jwks(&world).await));
    assert_eq!(part(token, 0)["alg"], "EdDSA");
    let claims = part(token, 1);
    assert_eq!((&claims["iss"], &claims["aud"]), (&Value::from("meridian"), &Value::from("meridian")));
    assert_eq!(claims["sub"], reply.subject.as_str());
    assert_eq!(claims["exp"].as_i64(), Some(testkit::START.as_second() + 900));
    assert_eq!(claims["exp"].as_i64(), reply.access_token_expire_time.map(|time| time.seconds));
    assert!(claims["sid"].as_str().is_some_and(|sid| sid.starts_with("sessions/")));
    assert!(!claims.to_string().contains("1380013"), "no personal data");
}

#[tokio::test]
async fn bad_tokens_are_refused() {
    let world = world().await;
    let me = MemberId::parse_name("n", &world.register(PHONE).await.subject).expect("a member");
    let keys = testkit::keys();
    for (token, why) in [
        (keys.expired_token(me), "TOKEN_EXPIRED"),
        (keys.wrong_audience_token(me), "TOKEN_WRONG_AUDIENCE"),
        (keys.wrong_issuer_token(me), "TOKEN_INVALID"),
        (keys.forged_token(me), "TOKEN_INVALID"),
        (keys.unsigned_token(me), "TOKEN_INVALID"),
        ("nonsense".to_owned(), "TOKEN_INVALID"),
    ] {
        assert_eq!(reason(world.get("members/me", &token).await), why);
    }
    let anonymous = proto::membership::v1::GetMemberRequest { name: me.name() };
    assert_eq!(reason(world.members().get_member(anonymous).await), "TOKEN_MISSING");
}

#[tokio::test]
async fn our_own_token_ends_after_a_quarter_of_an_hour() {
    let world = world().await;
    let token = world.register(PHONE).await.access_token;
    world.minutes(14);
    assert!(world.get("members/me", &token).await.is_ok());
    world.minutes(2);
    assert_eq!(reason(world.get("members/me", &token).await), "TOKEN_EXPIRED");
    let (body, signature) = token.rsplit_once('.').expect("three parts");
    let other = world.register(&phone(1)).await.access_token;
    let (other_body, _) = other.rsplit_once('.').expect("three parts");
    assert_ne!(body, other_body);
    let forged = format!("{other_body}.{signature}");
    assert_eq!(reason(world.get("members/me", &forged).await), "TOKEN_INVALID");
}

#[tokio::test]
async fn replicas_that_start_at_once_make_one_key() {
    let world = world().await;
    let starts: Vec<_> = (0..8)
        .map(|_| {
            let app = world.app.clone();
            tokio::spawn(async move { rotate_keys(&app).await.expect("rotates") })
        })
        .collect();
    let mut made = 0;
    for start in starts {
        made += start.await.expect("ends");
    }
    assert_eq!((made, jwks(&world).await.len()), (1, 1));
}

#[tokio::test]
async fn a_key_is_published_before_it_signs_and_until_its_last_token_is_out() {
    let world = world().await;
    rotate_keys(&world.app).await.expect("makes the first");
    world.days(30);
    assert_eq!(rotate_keys(&world.app).await.expect("makes the second"), 1);
    assert_eq!(rotate_keys(&world.app).await.expect("is done"), 0);
    let old = world.register(PHONE).await.access_token;
    assert_eq!(jwks(&world).await.len(), 2, "the second is published");
    world.minutes(14);
    let last = world.register(&phone(1)).await.access_token;
    assert_eq!(part(&last, 0)["kid"], part(&old, 0)["kid"], "the first still signs");
    world.minutes(1);
    let new = world.register(&phone(2)).await.access_token;
    assert_ne!(part(&new, 0)["kid"], part(&old, 0)["kid"]);
    world.minutes(13);
    assert!(world.get("members/me", &last).await.is_ok(), "a token of the first is still good");
    world.minutes(7);
    let keys = jwks(&world).await;
    assert!(verifies(&new, &keys) && !verifies(&old, &keys));
    assert_eq!(rotate_keys(&world.app).await.expect("forgets the first"), 1);
    let left = "select count(*) from vault_key join signing_key on vault_key.owner = signing_key.id";
    assert_eq!(world.count(left).await, 1);
}
