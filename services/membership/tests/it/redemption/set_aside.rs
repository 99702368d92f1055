use kernel::ids::OrderId;
use membership::worker::{expire_points, expire_redemptions};
use proto::{
    access::Role,
    membership::v1::{self as pb, points_entry::Kind, points_redemption::State},
};

use super::*;

#[tokio::test]
async fn a_hundred_points_pay_ten_yuan_the_oldest_first() {
    let world = world().await;
    let member = world.member(PHONE).await;
    world.pay(member, 600).await;
    world.days(1);
    world.pay(member, 900).await;
    assert_eq!(open(&world, member).await, 150);

    let id = new_id();
    let made = ask(&world, reserve(&world, id, member, 1_000)).await.expect("set aside");
    assert_eq!((made.points, made.state()), (100, State::Reserved));
    assert_eq!((open(&world, member).await, world.look(member).await.points), (50, 50));
    assert_eq!(entries(&world, member).await.len(), 2, "nothing is spent yet");

    world.minutes(1);
    let done = commit(&world, id).await.expect("spent");
    assert_eq!((done.state(), commit(&world, id).await.expect("again")), (State::Committed, done.clone()));
    let mut newest: Vec<i64> = entries(&world, member).await[..2].iter().map(|(_, points)| *points).collect();
    newest.sort_unstable();
    assert_eq!(newest, [-60, -40]);
    assert_eq!(open(&world, member).await, 50);
    assert_eq!(reason(void(&world, id, member).await), "REDEMPTION_COMMITTED");
    assert_eq!(ask(&world, reserve(&world, id, member, 1_000)).await.expect("as it is by now"), done);
}

#[tokio::test]
async fn what_is_called_off_is_free_again_and_stays_so() {
    let world = world().await;
    let member = world.member(PHONE).await;
    world.pay(member, 1_000).await;
    let id = reserved(&world, member, 1_000).await;
    for _ in 0..2 {
        assert_eq!(void(&world, id, member).await.expect("free").state(), State::Voided);
    }
    assert_eq!(open(&world, member).await, 100);
    assert_eq!(reason(commit(&world, id).await), "REDEMPTION_ENDED");
    assert_eq!(reason(ask(&world, reserve(&world, id, member, 1_000)).await), "REDEMPTION_ENDED");
    assert_eq!(entries(&world, member).await, [(Kind::Earned, 100)]);
}

#[tokio::test]
async fn what_was_called_off_before_it_came_takes_nothing() {
    let world = world().await;
    let member = world.member(PHONE).await;
    world.pay(member, 1_000).await;
    let id = new_id();
    for _ in 0..2 {
        assert_eq!(void(&world, id, member).await.expect("noted").state(), State::Voided);
    }
    assert_eq!(reason(ask(&world, reserve(&world, id, member, 1_000)).await), "REDEMPTION_ENDED");
    assert_eq!(open(&world, member).await, 100);
}

#[tokio::test]
async fn what_nobody_decides_is_free_by_itself() {
    let world = world().await;
    let member = world.member(PHONE).await;
    world.pay(member, 2_000).await;
    let (forgotten, late) = (reserved(&world, member, 1_000).await, reserved(&world, member, 1_000).await);
    assert_eq!(expire_redemptions(&world.app).await.expect("looked"), 0);
    world.days(1);
    // Nobody has come to free it yet.
    assert_eq!(commit(&world, late).await.expect("in time").state(), State::Committed);
    assert_eq!(expire_redemptions(&world.app).await.expect("freed"), 1);
    assert_eq!(expire_redemptions(&world.app).await.expect("is done"), 0);
    assert_eq!(open(&world, member).await, 100);
    assert_eq!(reason(commit(&world, forgotten).await), "REDEMPTION_ENDED");
    assert_eq!(void(&world, forgotten, member).await.expect("is free").state(), State::Expired);
}

#[tokio::test]
async fn what_is_set_aside_does_not_lapse_and_lapses_when_it_is_free() {
    let world = world().await;
    let member = world.member(PHONE).await;
    world.pay(member, 1_500).await;
    world.days(364);
    let id = reserved(&world, member, 1_000).await;
    world.minutes(24 * 60 - 1);
    world.minutes(2);
    assert_eq!(expire_points(&world.app).await.expect("lapsed"), 1);
    assert_eq!(entries(&world, member).await[0], (Kind::Expired, -50));
    void(&world, id, member).await.expect("free");
    assert_eq!(world.look(member).await.points, 0, "they can't be spent any more");
    assert_eq!(reason(ask(&world, reserve(&world, new_id(), member, 1_000)).await), "INSUFFICIENT_POINTS");
    world.minutes(1);
    assert_eq!(expire_points(&world.app).await.expect("lapsed"), 1);
    assert_eq!(entries(&world, member).await[0], (Kind::Expired, -100));
    assert_eq!(open(&world, member).await, 0);
}

#[tokio::test]
async fn refunding_what_points_came_of_takes_them_back_as_soon_as_they_are_free() {
    let world = world().await;
    let member = world.member(PHONE).await;
    let earned = world.pay(member, 1_000).await;
    let (order, id) = (OrderId::new(testkit::START), new_id());
    let request = pb::ReservePointsRequest { order: order.name(), ..reserve(&world, id, member, 1_000) };
    ask(&world, request).await.expect("set aside");
    world.refund(member, earned, 1_000, 1_000, 4).await;
    assert_eq!(open(&world, member).await, 0, "they are set aside");
    world.minutes(1);
    void(&world, id, member).await.expect("free");
    assert_eq!((open(&world, member).await, entries(&world, member).await[0]), (0, (Kind::Revoked, -100)));
}

#[tokio::test]
async fn everybody_who_is_signed_in_reads_the_terms_and_only_services_spend() {
    let world = world().await;
    let member = world.register(PHONE).await;
    let terms = client(&world).get_redemption_terms(with(pb::GetRedemptionTermsRequest {}, &member.access_token)).await;
    let terms = terms.expect("reads").into_inner();
    assert_eq!((terms.points, terms.worth, terms.max_share_basis_points), (100, cny(1_000), 5_000));
    let admin = world.staff_token(Role::Administrator, None);
    for token in [member.access_token.as_str(), admin.as_str()] {
        let (id, of) = (new_id(), member_id(&member));
        let asked = client(&world).reserve_points(with(reserve(&world, id, of, 1_000), token)).await;
        assert_eq!(reason(asked), "ROLE_NOT_ALLOWED");
        let asked = client(&world).commit_points(with(pb::CommitPointsRequest { name: id.name() }, token)).await;
        assert_eq!(reason(asked), "ROLE_NOT_ALLOWED");
        let request = pb::VoidPointsRequest { name: id.name(), member: of.name(), order: String::new() };
        assert_eq!(reason(client(&world).void_points(with(request, token)).await), "ROLE_NOT_ALLOWED");
        assert_eq!(reason(client(&world).return_points(with(give_back(id, 1), token)).await), "ROLE_NOT_ALLOWED");
    }
}
