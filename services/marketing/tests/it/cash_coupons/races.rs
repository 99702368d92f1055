use std::sync::Arc;

use tokio::task::JoinSet;

use super::*;
use crate::support::member;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_sixty_four_payments_one_has_it() {
    let (world, me) = (Arc::new(World::new().await), member());
    let coupon = issued(&world, me).await;
    let mut all = JoinSet::new();
    for _ in 0..64 {
        let (world, request) = (Arc::clone(&world), use_of(&world, &coupon));
        all.spawn(async move { why(reserve(&world, &request).await) });
    }
    let answers = all.join_all().await;
    assert_eq!(answers.iter().filter(|answer| *answer == "OK").count(), 1);
    assert_eq!(answers.iter().filter(|answer| *answer == "COUPON_NOT_AVAILABLE").count(), 63);
    assert_eq!(states(&world, me).await, [State::Reserved]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commit_void_and_time_decide_once() {
    let (world, me) = (World::new().await, member());
    let coupon = issued(&world, me).await;
    for round in 0..8 {
        let request = use_of(&world, &coupon);
        reserve(&world, &request).await.expect("set aside");
        world.clock.advance(DAY);
        let (committed, voided, _) = tokio::join!(
            commit(&world, &request),
            void(&world, &request),
            marketing::worker::expire_redemptions(&world.app),
        );
        assert_ne!(committed.is_ok(), voided.is_ok(), "round {round}: {committed:?} {voided:?}");
        if committed.is_ok() {
            assert_eq!(states(&world, me).await, [State::Redeemed], "round {round}");
            give_back(&world, &request).await.expect("back");
        }
        assert_eq!(states(&world, me).await, [State::Available], "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twins_of_a_return_are_one() {
    let (world, me) = (Arc::new(World::new().await), member());
    let request = use_of(&world, &issued(&world, me).await);
    reserve(&world, &request).await.expect("set aside");
    commit(&world, &request).await.expect("used");
    let mut all = JoinSet::new();
    for _ in 0..16 {
        let (world, request) = (Arc::clone(&world), request.clone());
        all.spawn(async move { give_back(&world, &request).await.expect("an answer") });
    }
    let answers = all.join_all().await;
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(states(&world, me).await, [State::Available]);
}
