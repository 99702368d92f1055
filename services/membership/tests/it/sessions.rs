//! Refresh tokens.

use std::collections::HashSet;

use kernel::ids::StoreId;
use proto::{access::Role, membership::v1::SignOutRequest};

use crate::world::*;

#[tokio::test]
async fn tokens_rotate() {
    let world = world().await;
    let mut tokens = world.register(PHONE).await;
    let mut seen = HashSet::from([tokens.refresh_token.clone()]);
    for _ in 0..3 {
        world.days(20);
        tokens = world.auth().refresh_tokens(refresh(&tokens.refresh_token)).await.expect("refreshes").into_inner();
        assert!(seen.insert(tokens.refresh_token.clone()), "each is new");
        assert_eq!(
            world.get("members/me", &tokens.access_token).await.map(|member| member.phone).ok(),
            Some(PHONE.to_owned())
        );
    }
    world.days(30);
    let refused = world.auth().refresh_tokens(refresh(&tokens.refresh_token)).await;
    assert_eq!(reason(refused), "REFRESH_TOKEN_INVALID");
}

#[tokio::test]
async fn a_token_that_comes_twice_ends_the_session() {
    let world = world().await;
    let first = world.register(PHONE).await;
    let request = refresh(&first.refresh_token);
    let second = world.auth().refresh_tokens(request.clone()).await.expect("refreshes").into_inner();
    let stolen = world.auth().refresh_tokens(refresh(&first.refresh_token)).await;
    assert_eq!(stolen.as_ref().err().map(tonic::Status::code), Some(tonic::Code::Unauthenticated));
    assert_eq!(reason(stolen), "SESSION_ENDED");
    assert_eq!(reason(world.auth().refresh_tokens(refresh(&second.refresh_token)).await), "SESSION_ENDED");
    assert_eq!(reason(world.auth().refresh_tokens(request).await), "SESSION_ENDED", "the stored answer is gone");
    assert_eq!(world.count("select count(*) from audit_entry where action = 'session.end'").await, 1);
    assert_eq!(world.count("select count(*) from sealed_reply").await, 0);
}

#[tokio::test]
async fn a_repeat_of_the_same_request_gets_the_same_tokens() {
    let world = world().await;
    let request = refresh(&world.register(PHONE).await.refresh_token);
    let twins: Vec<_> = (0..30)
        .map(|_| {
            let (mut auth, request) = (world.auth(), request.clone());
            tokio::spawn(async move { auth.refresh_tokens(request).await.expect("refreshes").into_inner() })
        })
        .collect();
    let mut answers = HashSet::new();
    let mut last = None;
    for twin in twins {
        let answer = twin.await.expect("ends");
        answers.insert(bytes(&answer));
        last = Some(answer);
    }
    assert_eq!(answers.len(), 1);
    let next = refresh(&last.expect("an answer").refresh_token);
    world.auth().refresh_tokens(next.clone()).await.expect("the session lives");
    let again = world.auth().refresh_tokens(request.clone()).await.expect("also later").into_inner();
    assert!(answers.contains(&bytes(&again)));
    let mut reused = request;
    reused.refresh_token = next.refresh_token;
    assert_eq!(reason(world.auth().refresh_tokens(reused).await), "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn two_who_use_a_token_at_once_end_the_session() {
    let world = world().await;
    let token = world.register(PHONE).await.refresh_token;
    let rivals: Vec<_> = (0..10)
        .map(|_| {
            let (mut auth, request) = (world.auth(), refresh(&token));
            tokio::spawn(async move { reason(auth.refresh_tokens(request).await) })
        })
        .collect();
    let mut won = 0;
    for rival in rivals {
        match rival.await.expect("ends").as_str() {
            "OK" => won += 1,
            other => assert_eq!(other, "SESSION_ENDED"),
        }
    }
    assert_eq!(won, 1);
    assert_eq!(world.count("select count(*) from session where end_reason = 'TOKEN_REUSED'").await, 1);
}

#[tokio::test]
async fn who_signs_out_is_out_and_a_token_of_nobody_changes_nothing() {
    let world = world().await;
    let tokens = world.register(PHONE).await;
    for token in ["unknown", tokens.refresh_token.as_str(), tokens.refresh_token.as_str()] {
        world.auth().sign_out(SignOutRequest { refresh_token: token.to_owned() }).await.expect("signs out");
    }
    assert_eq!(reason(world.auth().refresh_tokens(refresh(&tokens.refresh_token)).await), "SESSION_ENDED");
    assert_eq!(reason(world.auth().refresh_tokens(refresh("unknown")).await), "REFRESH_TOKEN_INVALID");
    assert_eq!(world.count("select count(*) from session where end_reason = 'SIGNED_OUT'").await, 1);
}

#[tokio::test]
async fn staff_keep_their_roles_over_a_refresh() {
    let world = world().await;
    let store = StoreId::from_uuid(kernel::Uuid::from_u128(5));
    world.bootstrap("desk", &[Role::FrontDesk], Some(store)).await;
    let tokens = world.auth().sign_in_staff(sign_in_staff("desk", PASSWORD)).await.expect("signs in").into_inner();
    let member = world.member(PHONE).await;
    let tokens = world.auth().refresh_tokens(refresh(&tokens.refresh_token)).await.expect("refreshes").into_inner();
    assert!(world.get(&member.name(), &tokens.access_token).await.is_ok());
    assert_eq!(tokens.member, None);
}

#[tokio::test]
async fn what_is_of_no_use_any_more_is_deleted() {
    let world = world().await;
    let tokens = world.register(PHONE).await;
    assert_eq!(membership::worker::clean(&world.app).await.expect("cleans"), 0);
    world.days(2);
    assert_eq!(membership::worker::clean(&world.app).await.expect("cleans"), 1, "the code");
    world.auth().refresh_tokens(refresh(&tokens.refresh_token)).await.expect("the session lives");
    world.days(32);
    assert_eq!(membership::worker::clean(&world.app).await.expect("cleans"), 1, "the session");
    for query in ["select count(*) from refresh_token", "select count(*) from sealed_reply"] {
        assert_eq!(world.count(query).await, 0, "{query}");
    }
}
