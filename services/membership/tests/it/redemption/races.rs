use tokio::task::JoinSet;

use super::*;

/// fuint #71: twenty at once turned 100 points into 2,000.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_sixty_four_at_once_on_a_hundred_points_one_gets_them() {
    let world = std::sync::Arc::new(world().await);
    let member = world.member(PHONE).await;
    world.pay(member, 1_000).await;
    let mut all = JoinSet::new();
    for _ in 0..64 {
        let world = world.clone();
        all.spawn(async move { reason(ask(&world, reserve(&world, new_id(), member, 1_000)).await) });
    }
    let answers = all.join_all().await;
    assert_eq!(answers.iter().filter(|answer| *answer == "OK").count(), 1);
    assert_eq!(answers.iter().filter(|answer| *answer == "INSUFFICIENT_POINTS").count(), 63);
    assert_eq!(open(&world, member).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twins_are_one() {
    let world = std::sync::Arc::new(world().await);
    let member = world.member(PHONE).await;
    world.pay(member, 5_000).await;
    let request = reserve(&world, new_id(), member, 1_000);
    let mut all = JoinSet::new();
    for _ in 0..32 {
        let (world, request) = (world.clone(), request.clone());
        all.spawn(async move { bytes(&ask(&world, request).await.expect("an answer")) });
    }
    let answers: std::collections::HashSet<_> = all.join_all().await.into_iter().collect();
    assert_eq!((answers.len(), open(&world, member).await), (1, 400));

    let id = PointsRedemptionId::from_uuid(request.redemption_id.parse().expect("a UUID"));
    commit(&world, id).await.expect("spent");
    let request = give_back(id, 400);
    let mut all = JoinSet::new();
    for _ in 0..32 {
        let (world, request) = (world.clone(), request.clone());
        all.spawn(async move {
            let answer = client(&world).return_points(as_payment(&world, request)).await;
            answer.expect("an answer").into_inner().returned_points
        });
    }
    assert_eq!(all.join_all().await, vec![40; 32]);
    assert_eq!(open(&world, member).await, 440);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commit_void_and_time_decide_once() {
    let world = world().await;
    let member = world.member(PHONE).await;
    world.pay(member, 1_000).await;
    for round in 0..8 {
        let id = reserved(&world, member, 1_000).await;
        world.days(1);
        let (committed, voided, _) = tokio::join!(
            commit(&world, id),
            void(&world, id, member),
            membership::worker::expire_redemptions(&world.app),
        );
        // Either it is spent, and void is refused; or it is free, and commit is.
        assert_ne!(committed.is_ok(), voided.is_ok(), "round {round}: {committed:?} {voided:?}");
        assert_eq!(open(&world, member).await, if committed.is_ok() { 0 } else { 100 }, "round {round}");
        if committed.is_ok() {
            back(&world, give_back(id, 1_000)).await.expect("given back");
        }
    }
    assert_eq!(open(&world, member).await, 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refunds_at_once_give_back_what_was_spent_and_no_more() {
    let world = std::sync::Arc::new(world().await);
    let member = world.member(PHONE).await;
    world.pay(member, 1_000).await;
    let id = spent(&world, member, 1_000).await;
    let mut all = JoinSet::new();
    for _ in 0..10 {
        let world = world.clone();
        all.spawn(async move { reason(back(&world, give_back(id, 600)).await) });
    }
    let done = all.join_all().await;
    assert_eq!(done.iter().filter(|answer| *answer == "OK").count(), 1, "{done:?}");
    assert_eq!(open(&world, member).await, 60);
}
