use marketing::worker::expire_redemptions;
use proto::marketing::v1::coupon_redemption::State as Fate;

use super::*;
use crate::support::member;

#[tokio::test]
async fn staff_give_it_once_and_are_on_record() {
    let (world, me) = (World::new().await, member());
    let request = gift(me);
    let given = issue(&world, request.clone()).await.expect("given");
    assert_eq!(issue(&world, request).await.expect("the same"), given);
    assert_eq!((given.state(), given.amount), (State::Available, Some(to_money(cny(5_000)))));
    assert_eq!(states(&world, me).await, [State::Available]);
    let entries: Vec<(String, String)> =
        sqlx::query_as("select action, target from audit_entry").fetch_all(world.app.pg.pool()).await.expect("entries");
    assert_eq!(entries, [("coupon.issue".to_owned(), given.name)]);
    world.clock.advance(90 * DAY);
    assert_eq!(states(&world, me).await, [State::Expired]);
}

#[tokio::test]
async fn it_is_set_aside_used_and_given_back_each_once() {
    let (world, me) = (World::new().await, member());
    let request = use_of(&world, &issued(&world, me).await);
    for _ in 0..2 {
        assert_eq!(reserve(&world, &request).await.expect("set aside").state(), Fate::Reserved);
    }
    assert_eq!(states(&world, me).await, [State::Reserved]);
    assert_eq!(why(give_back(&world, &request).await), "REDEMPTION_NOT_COMMITTED");
    for _ in 0..2 {
        assert_eq!(commit(&world, &request).await.expect("used").state(), Fate::Committed);
    }
    assert_eq!(states(&world, me).await, [State::Redeemed]);
    assert_eq!(why(void(&world, &request).await), "REDEMPTION_COMMITTED");
    for _ in 0..2 {
        assert_eq!(give_back(&world, &request).await.expect("back").state(), Fate::Returned);
    }
    assert_eq!(states(&world, me).await, [State::Available]);
    // It can be used again, by another payment; and what is late changes nothing.
    let again = pb::ReserveCouponRequest { redemption_id: uuid_v7(START).to_string(), ..request.clone() };
    reserve(&world, &again).await.expect("set aside");
    assert_eq!(give_back(&world, &request).await.expect("is back").state(), Fate::Returned);
    assert_eq!(commit(&world, &request).await.expect("was used").state(), Fate::Returned);
    assert_eq!(states(&world, me).await, [State::Reserved]);
}

#[tokio::test]
async fn what_comes_back_late_can_be_used_for_thirty_days() {
    let (world, me) = (World::new().await, member());
    let request = use_of(&world, &issued(&world, me).await);
    reserve(&world, &request).await.expect("set aside");
    commit(&world, &request).await.expect("used");
    world.clock.advance(100 * DAY);
    give_back(&world, &request).await.expect("back");
    world.clock.advance(29 * DAY);
    assert_eq!(states(&world, me).await, [State::Available]);
    world.clock.advance(DAY);
    assert_eq!(states(&world, me).await, [State::Expired]);
}

#[tokio::test]
async fn what_is_called_off_is_free_even_before_it_came() {
    let (world, me) = (World::new().await, member());
    let coupon = issued(&world, me).await;
    let (early, late) = (use_of(&world, &coupon), use_of(&world, &coupon));
    reserve(&world, &early).await.expect("set aside");
    for request in [&early, &late] {
        for _ in 0..2 {
            assert_eq!(void(&world, request).await.expect("free").state(), Fate::Voided);
        }
        assert_eq!(why(reserve(&world, request).await), "REDEMPTION_ENDED");
        assert_eq!(why(commit(&world, request).await), "REDEMPTION_ENDED");
    }
    assert_eq!(states(&world, me).await, [State::Available]);
}

#[tokio::test]
async fn what_nobody_decides_is_free_by_itself() {
    let (world, me) = (World::new().await, member());
    let request = use_of(&world, &issued(&world, me).await);
    reserve(&world, &request).await.expect("set aside");
    assert_eq!(expire_redemptions(&world.app).await.expect("looked"), 0);
    world.clock.advance(DAY);
    assert_eq!(expire_redemptions(&world.app).await.expect("freed"), 1);
    assert_eq!(expire_redemptions(&world.app).await.expect("is done"), 0);
    assert_eq!(states(&world, me).await, [State::Available]);
    assert_eq!(void(&world, &request).await.expect("is free").state(), Fate::Expired);
    assert_eq!(why(commit(&world, &request).await), "REDEMPTION_ENDED");
}
