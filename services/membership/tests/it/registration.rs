//! Becoming a member.

use std::collections::HashSet;

use kernel::ids::StoreId;
use proto::membership::v1::{MemberRegistered, Tier};

use crate::world::*;

#[tokio::test]
async fn who_registers_is_signed_in() {
    let world = world().await;
    let code = world.code(PHONE).await;
    let store = StoreId::from_uuid(kernel::Uuid::from_u128(9));
    let mut request = register(PHONE, &code);
    request.store = store.name();
    let reply = world.auth().register_member(request).await.expect("registers").into_inner();
    let member = world.get("members/me", &reply.access_token).await.expect("reads himself");
    assert_eq!(reply.member.as_ref(), Some(&member));
    assert_eq!((member.name.as_str(), member.phone.as_str()), (reply.subject.as_str(), PHONE));
    assert_eq!((member.display_name.as_str(), member.store.clone()), (NAME, store.name()));
    assert_eq!((member.tier(), member.points), (Tier::Member, 0));
    let id = member_id(&reply);
    assert_eq!(world.events(id.uuid()).await, [("MemberRegistered".to_owned(), 1)]);
    let event = world.payloads::<MemberRegistered>(id.uuid()).await.remove(0);
    assert_eq!((event.member, event.store, event.tier), (id.name(), store.name(), Tier::Member.into()));
}

#[tokio::test]
async fn a_phone_registers_once_and_the_code_is_still_good_for_signing_in() {
    let world = world().await;
    let first = world.register(PHONE).await;
    world.minutes(1);
    let code = world.code(PHONE).await;
    let refused = world.auth().register_member(register(PHONE, &code)).await;
    assert_eq!(refused.as_ref().err().map(tonic::Status::code), Some(tonic::Code::AlreadyExists));
    assert_eq!(reason(refused), "PHONE_REGISTERED");
    let second = world.auth().sign_in(sign_in(PHONE, &code)).await.expect("signs in").into_inner();
    assert_eq!(second.subject, first.subject);
    assert_ne!(second.refresh_token, first.refresh_token);
    assert_eq!(world.count("select count(*) from member").await, 1);
}

#[tokio::test]
async fn that_a_phone_is_unknown_is_told_only_after_the_right_code() {
    let world = world().await;
    let code = world.code(PHONE).await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    assert_eq!(reason(world.auth().sign_in(sign_in(PHONE, wrong)).await), "CODE_WRONG");
    assert_eq!(reason(world.auth().sign_in(sign_in(PHONE, &code)).await), "PHONE_UNKNOWN");
    world.auth().register_member(register(PHONE, &code)).await.expect("the code is still good");
}

#[tokio::test]
async fn a_hundred_twins_make_one_member_and_get_one_answer() {
    let world = world().await;
    let request = register(PHONE, &world.code(PHONE).await);
    let twins: Vec<_> = (0..100)
        .map(|_| {
            let (mut auth, request) = (world.auth(), request.clone());
            tokio::spawn(async move { bytes(auth.register_member(request).await.expect("registers").get_ref()) })
        })
        .collect();
    let mut answers = HashSet::new();
    for twin in twins {
        answers.insert(twin.await.expect("ends"));
    }
    assert_eq!(answers.len(), 1);
    for query in ["select count(*) from member", "select count(*) from session", "select count(*) from outbox"] {
        assert_eq!(world.count(query).await, 1, "{query}");
    }
    world.days(29);
    let late = world.auth().register_member(request).await.expect("answers").into_inner();
    assert!(answers.contains(&bytes(&late)), "as long as the session lives");
}

#[tokio::test]
async fn two_requests_for_one_phone_make_one_member() {
    let world = world().await;
    let code = world.code(PHONE).await;
    let rivals: Vec<_> = (0..20)
        .map(|_| {
            let (mut auth, request) = (world.auth(), register(PHONE, &code));
            tokio::spawn(async move { reason(auth.register_member(request).await) })
        })
        .collect();
    let mut outcomes = Vec::new();
    for rival in rivals {
        outcomes.push(rival.await.expect("ends"));
    }
    assert_eq!(outcomes.iter().filter(|outcome| *outcome == "OK").count(), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| *outcome == "CODE_WRONG").count(), 19, "{outcomes:?}");
}

#[tokio::test]
async fn a_request_id_serves_one_request() {
    let world = world().await;
    let request = register(PHONE, &world.code(PHONE).await);
    world.auth().register_member(request.clone()).await.expect("registers");
    let mut other = request.clone();
    other.display_name = "Somebody else".to_owned();
    assert_eq!(reason(world.auth().register_member(other.clone()).await), "REQUEST_ID_REUSED");
    // For another phone it does not even wait in the same line.
    other.phone = phone(1);
    other.code = world.code(&phone(1)).await;
    let refused = world.auth().register_member(other).await;
    assert_eq!(field(refused), "request_id");
    assert_eq!(world.count("select count(*) from member").await, 1);
}

#[tokio::test]
async fn bad_input_is_named() {
    let world = world().await;
    let good = register(PHONE, &world.code(PHONE).await);
    let mut terms = good.clone();
    terms.terms_version = "2019-01".to_owned();
    assert_eq!(field(world.auth().register_member(terms).await), "terms_version");
    let mut name = good.clone();
    name.display_name = " \u{7} ".to_owned();
    assert_eq!(field(world.auth().register_member(name).await), "display_name");
    let mut store = good.clone();
    store.store = "members/1".to_owned();
    assert_eq!(field(world.auth().register_member(store).await), "store");
    let mut code = good.clone();
    code.code = "12345".to_owned();
    assert_eq!(field(world.auth().register_member(code).await), "code");
    world.auth().register_member(good).await.expect("a refused call used nothing up");
}
