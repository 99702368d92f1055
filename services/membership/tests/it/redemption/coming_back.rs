use membership::worker::expire_points;
use proto::membership::v1::points_entry::Kind;

use super::*;

#[tokio::test]
async fn points_come_back_to_their_lots_in_proportion_and_once() {
    let world = world().await;
    let member = world.member(PHONE).await;
    world.pay(member, 500).await;
    world.days(1);
    world.pay(member, 1_500).await;
    let id = spent(&world, member, 2_000).await;
    assert_eq!(open(&world, member).await, 0);

    // A quarter of 20 yuan: 50 of 200 points, by 50 : 150.
    let quarter = give_back(id, 500);
    let answer = back(&world, quarter.clone()).await.expect("given back");
    assert_eq!(answer.returned_points, 50);
    assert_eq!(back(&world, quarter.clone()).await.expect("once"), answer);
    let first = &entries(&world, member).await[..2];
    assert_eq!(first.iter().map(|(_, points)| points).sum::<i64>(), 50);
    assert!(first.contains(&(Kind::Returned, 38)) || first.contains(&(Kind::Returned, 37)), "{first:?}");
    assert_eq!(open(&world, member).await, 50);

    let rest = back(&world, give_back(id, 1_500)).await.expect("given back");
    assert_eq!((rest.returned_points, open(&world, member).await), (200, 200));
    assert_eq!(reason(back(&world, give_back(id, 1)).await), "RETURN_EXCEEDS_REDEMPTION");
    let other = pb::ReturnPointsRequest { amount: cny(501), ..quarter };
    assert_eq!(reason(back(&world, other).await), "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn less_than_a_point_comes_with_the_rest() {
    let world = world().await;
    let member = world.member(PHONE).await;
    world.pay(member, 1_000).await;
    let id = spent(&world, member, 1_000).await;
    assert_eq!(back(&world, give_back(id, 9)).await.expect("noted").returned_points, 0);
    assert_eq!(back(&world, give_back(id, 1)).await.expect("a point").returned_points, 1);
    assert_eq!(back(&world, give_back(id, 990)).await.expect("all").returned_points, 100);
    assert_eq!(open(&world, member).await, 100);
}

#[tokio::test]
async fn what_comes_back_can_be_spent_for_thirty_days_at_least() {
    let world = world().await;
    let member = world.member(PHONE).await;
    world.pay(member, 1_000).await;
    let id = spent(&world, member, 1_000).await;
    world.days(400);
    assert_eq!(expire_points(&world.app).await.expect("nothing is there"), 0);
    back(&world, give_back(id, 500)).await.expect("given back");
    world.days(29);
    assert_eq!(world.look(member).await.points, 50);
    world.days(1);
    assert_eq!(world.look(member).await.points, 0);
    assert_eq!(expire_points(&world.app).await.expect("lapsed"), 1);
    // The same lot can lapse again.
    back(&world, give_back(id, 500)).await.expect("given back");
    assert_eq!(open(&world, member).await, 50);
    world.days(31);
    assert_eq!(expire_points(&world.app).await.expect("lapsed"), 1);
    assert_eq!(entries(&world, member).await[..2], [(Kind::Expired, -50), (Kind::Returned, 50)]);
    assert_eq!(open(&world, member).await, 0);
}

#[tokio::test]
async fn nobody_keeps_points_by_refunding_first_what_earned_them() {
    let world = world().await;
    let member = world.member(PHONE).await;
    let earned = world.pay(member, 1_000).await;
    let id = spent(&world, member, 1_000).await;
    world.refund(member, earned, 1_000, 1_000, 4).await;
    assert_eq!(open(&world, member).await, 0);
    back(&world, give_back(id, 1_000)).await.expect("given back");
    assert_eq!(open(&world, member).await, 0);
    assert!(entries(&world, member).await[..2].contains(&(Kind::Revoked, -100)));
}
