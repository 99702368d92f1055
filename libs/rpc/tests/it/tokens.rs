//! Every way in which a token can be wrong.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use kernel::{Clock, ids::*};
use proto::{
    access::Role,
    membership::v1::{GetMemberRequest, member_service_client::MemberServiceClient},
};
use rpc::token::{Claims, Signer};
use tonic::{Code, Request};
use tonic_types::StatusExt;

use crate::world::{MEMBERSHIP_KID, World, get_member, own};

/// The reason with which this token is refused; `None` when it is taken.
async fn refusal(world: &World, token: &str) -> Option<String> {
    let channel = world.serve(own).await;
    let name = MemberId::new(world.clock.now()).name();
    let status = get_member(&channel, token, &name).await.err()?;
    if status.code() != Code::Unauthenticated {
        return None;
    }
    Some(status.get_details_error_info().expect("has an ErrorInfo").reason)
}

async fn refusal_of(world: &World, change: impl FnOnce(&mut Claims)) -> Option<String> {
    let mut claims = world.claims(&MemberId::new(world.clock.now()).name());
    change(&mut claims);
    refusal(world, &world.membership.sign(&claims).expect("signed")).await
}

fn invalid() -> Option<String> {
    Some("TOKEN_INVALID".to_owned())
}

#[tokio::test]
async fn a_good_token_tells_who_calls() {
    let world = World::new();
    let channel = world.serve(own).await;
    let me = MemberId::new(world.clock.now());
    let reply = get_member(&channel, &world.member_token(me), &me.name()).await.expect("my own");
    assert_eq!(reply.into_inner().display_name, me.name());

    let staff = world.staff_token(&[Role::FrontDesk], None);
    let reply = get_member(&channel, &staff, &me.name()).await.expect("staff may");
    assert!(reply.into_inner().display_name.starts_with("staff/"));

    let reply = world.authorization_of(Role::Service);
    let reply = get_member(&channel, reply.trim_start_matches("Bearer "), &me.name()).await.expect("services may");
    assert_eq!(reply.into_inner().display_name, "services/booking");
}

#[tokio::test]
async fn a_token_ends_also_when_it_was_seen_before() {
    let world = World::new();
    let channel = world.serve(own).await;
    let me = MemberId::new(world.clock.now());
    let token = world.member_token(me);
    assert!(get_member(&channel, &token, &me.name()).await.is_ok());
    world.clock.advance(SignedDuration::from_secs(904));
    assert!(get_member(&channel, &token, &me.name()).await.is_ok(), "clocks may differ by five seconds");
    world.clock.advance(SignedDuration::from_secs(1));
    let status = get_member(&channel, &token, &me.name()).await.expect_err("expired");
    assert_eq!(status.get_details_error_info().map(|info| info.reason), Some("TOKEN_EXPIRED".to_owned()));
}

#[tokio::test]
async fn wrong_claims_are_refused() {
    let world = World::new();
    assert_eq!(refusal_of(&world, |_| {}).await, None);
    assert_eq!(refusal_of(&world, |claims| claims.exp = 0).await.as_deref(), Some("TOKEN_EXPIRED"));
    assert_eq!(refusal_of(&world, |claims| claims.exp = i64::MIN).await.as_deref(), Some("TOKEN_EXPIRED"));
    assert_eq!(refusal_of(&world, |claims| claims.aud = "other".into()).await.as_deref(), Some("TOKEN_WRONG_AUDIENCE"));
    assert_eq!(refusal_of(&world, |claims| claims.aud.clear()).await.as_deref(), Some("TOKEN_WRONG_AUDIENCE"));
    assert_eq!(refusal_of(&world, |claims| claims.iss = "elsewhere".into()).await, invalid());
    assert_eq!(refusal_of(&world, |claims| claims.iss.clear()).await, invalid());
    for sub in ["", "members", "members/", "members/1", "stores/0192f3c4-7d9e-7000-8000-3f2a51c0ffee"] {
        assert_eq!(refusal_of(&world, |claims| claims.sub = sub.into()).await, invalid(), "{sub}");
    }
    let odd_store = |claims: &mut Claims| {
        claims.sub = "staff/0192f3c4-7d9e-7000-8000-3f2a51c0ffee".into();
        claims.store = Some("everywhere".into());
    };
    assert_eq!(refusal_of(&world, odd_store).await, invalid(), "a store that can't be read must not mean all stores");
}

#[tokio::test]
async fn a_key_speaks_for_its_own_issuer_only() {
    let world = World::new();
    let as_service = |claims: &mut Claims| {
        claims.iss = "meridian-services".into();
        claims.sub = "services/booking".into();
    };
    assert_eq!(refusal_of(&world, as_service).await, invalid());
    assert_eq!(refusal_of(&world, |claims| claims.sub = "services/booking".into()).await, invalid());

    let mut claims = world.claims(&StaffId::new(world.clock.now()).name());
    claims.roles = vec!["ADMINISTRATOR".to_owned()];
    assert_eq!(refusal(&world, &world.services.sign(&claims).expect("signed")).await, invalid());
    claims.iss = "meridian-services".into();
    assert_eq!(refusal(&world, &world.services.sign(&claims).expect("signed")).await, invalid());
}

#[tokio::test]
async fn forged_tokens_are_refused() {
    let world = World::new();
    let me = MemberId::new(world.clock.now());
    let claims = world.claims(&me.name());
    let good = world.member_token(me);
    let parts: Vec<&str> = good.split('.').collect();
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let body = serde_json::to_string(&claims).expect("JSON");

    let thief = Signer::try_from_seed(&[9; 32]).expect("a valid key");
    let stranger = thief.clone().sign(&claims).expect("signed");
    let same_kid = thief.with_kid(MEMBERSHIP_KID).sign(&claims).expect("signed");
    let admin = body.replace(&me.name(), &StaffId::new(world.clock.now()).name());
    let edited = format!("{}.{}.{}", parts[0], encode(&admin), parts[2]);
    let none = encode(&format!(r#"{{"alg":"none","typ":"JWT","kid":"{MEMBERSHIP_KID}"}}"#));
    let mut hmac_header = Header::new(Algorithm::HS256);
    hmac_header.kid = Some(MEMBERSHIP_KID.to_owned());
    let public = URL_SAFE_NO_PAD.decode(world.membership.public_key().to_base64url()).expect("base64url");
    let hmac = jsonwebtoken::encode(&hmac_header, &claims, &EncodingKey::from_secret(&public)).expect("signed");
    let no_kid = encode(r#"{"alg":"EdDSA"}"#);

    let forged = [
        ("another key under the same id", same_kid),
        ("a key that isn't known", stranger),
        ("an edited body", edited),
        ("alg none", format!("{none}.{}.", encode(&body))),
        ("alg none with the old signature", format!("{none}.{}.{}", encode(&body), parts[2])),
        ("HMAC with the public key", hmac),
        ("no key id", format!("{no_kid}.{}.{}", parts[1], parts[2])),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("two parts", format!("{}.{}", parts[0], parts[1])),
        ("nothing", String::new()),
        ("no token", "abc".to_owned()),
        ("a huge one", format!("{good}{}", "A".repeat(8_000))),
    ];
    for (what, token) in forged {
        assert_eq!(refusal(&world, &token).await, invalid(), "{what}");
    }
}

#[tokio::test]
async fn authorization_is_one_bearer_token() {
    let world = World::new();
    let channel = world.serve(own).await;
    let me = MemberId::new(world.clock.now());
    let good = format!("Bearer {}", world.member_token(me));
    let call = |values: Vec<String>| {
        let mut client = MemberServiceClient::new(channel.clone());
        let mut request = Request::new(GetMemberRequest { name: me.name() });
        for value in values {
            request.metadata_mut().append("authorization", value.parse().expect("ASCII"));
        }
        async move {
            let status = client.get_member(request).await.err()?;
            Some(status.get_details_error_info().expect("has an ErrorInfo").reason)
        }
    };
    assert_eq!(call(vec![good.clone()]).await, None);
    assert_eq!(call(vec![good.replace("Bearer", "bearer")]).await, None);
    assert_eq!(call(vec![]).await.as_deref(), Some("TOKEN_MISSING"));
    assert_eq!(call(vec![good.clone(), good.clone()]).await, invalid());
    assert_eq!(call(vec![good.replace("Bearer", "Basic")]).await, invalid());
    assert_eq!(call(vec!["Bearer".to_owned()]).await, invalid());
}
