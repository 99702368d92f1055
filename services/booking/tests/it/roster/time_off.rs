//! Time off: asked for, granted or refused, taken back.

use kernel::ids::StaffId;
use proto::{
    access::Role,
    booking::v1::{self as pb, time_off_request::State},
};
use testkit::with_token;
use tonic::Code;

use super::stranded;
use crate::world::{World, at, field, id, member, reason};

#[tokio::test]
async fn it_is_asked_for_granted_and_taken_back() {
    let world = World::new(1, 1).await;
    let (lin, own) = (world.therapists[0].clone(), world.staff(Role::Therapist));
    let wish = world.request_time_off(&own, &lin, (at(24), at(48))).await.expect("asked");
    assert_eq!((wish.state(), wish.block.as_str(), wish.decide_time), (State::Requested, "", None));
    world.send_hold(&member().1, world.hold(at(25))).await.expect("nothing is kept yet");
    let refused = world.approve(&wish.name).await.expect_err("a visit is there");
    let booking = stranded(&refused).remove(0);
    world.cancel(&world.admin, &booking).await.expect("cancelled");
    let approved = world.approve(&wish.name).await.expect("approved");
    assert_eq!((approved.state(), approved.block.is_empty()), (State::Approved, false));
    assert!(approved.decider.starts_with("staff/") && approved.decide_time.is_some());
    let refused = world.send_hold(&member().1, world.hold(at(25))).await.expect_err("off");
    assert_eq!(reason(&refused), "SLOT_TAKEN");
    let delete = pb::DeleteBlockRequest { name: approved.block.clone(), etag: String::new(), request_id: id() };
    let refused = world.roster().delete_block(with_token(delete, &world.admin)).await.expect_err("derived");
    assert_eq!(reason(&refused), "BLOCK_IS_DERIVED");

    let withdrawn = world.withdraw(&own, &wish.name).await.expect("withdrawn");
    assert_eq!((withdrawn.state(), withdrawn.block.as_str()), (State::Withdrawn, ""));
    world.send_hold(&member().1, world.hold(at(25))).await.expect("free again");
    let refused = world.withdraw(&own, &wish.name).await.expect_err("twice");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "WRONG_STATE"));
    assert_eq!(world.untold().await, 0);
    for event in ["TimeOffRequested", "TimeOffDecided", "TimeOffWithdrawn"] {
        let sql = match event {
            "TimeOffRequested" => "select count(*) from outbox where type like '%TimeOffRequested'",
            "TimeOffDecided" => "select count(*) from outbox where type like '%TimeOffDecided'",
            _ => "select count(*) from outbox where type like '%TimeOffWithdrawn'",
        };
        assert_eq!(world.count(sql).await, 1, "{event}");
    }
}

#[tokio::test]
async fn it_is_refused_with_a_reason() {
    let world = World::new(1, 1).await;
    let wish = world.request_time_off(&world.manager(), &world.therapists[0], (at(24), at(48))).await.expect("asked");
    let mut request = pb::RejectTimeOffRequestRequest {
        name: wish.name.clone(),
        decision: String::new(),
        etag: wish.etag.clone(),
        request_id: id(),
    };
    let refused = world.roster().reject_time_off_request(with_token(request.clone(), &world.admin)).await;
    assert_eq!(field(&refused.expect_err("without a reason")), "decision");
    request.decision = "the whole town is getting married".to_owned();
    let rejected = world.roster().reject_time_off_request(with_token(request.clone(), &world.admin)).await;
    let rejected = rejected.expect("rejected").into_inner();
    assert_eq!((rejected.state(), rejected.decision.as_str()), (State::Rejected, request.decision.as_str()));
    request.request_id = id();
    let stale = world.roster().reject_time_off_request(with_token(request, &world.admin)).await.expect_err("stale");
    assert_eq!(reason(&stale), "ETAG_MISMATCH");
    assert_eq!(reason(&world.approve(&wish.name).await.expect_err("rejected")), "WRONG_STATE");
}

#[tokio::test]
async fn what_has_begun_is_not_taken_back() {
    let world = World::new(1, 1).await;
    let wish = world.request_time_off(&world.manager(), &world.therapists[0], (at(1), at(3))).await.expect("asked");
    world.approve(&wish.name).await.expect("approved");
    world.clock.set(at(1));
    assert_eq!(reason(&world.withdraw(&world.manager(), &wish.name).await.expect_err("begun")), "WRONG_STATE");
    let past = world.request_time_off(&world.manager(), &world.therapists[0], (at(-3), at(-1))).await;
    assert_eq!(field(&past.expect_err("past")), "time_off_request.end_time");
}

#[tokio::test]
async fn therapists_see_their_own_wishes_and_managers_their_stores() {
    let world = World::new(2, 1).await;
    let (one, other) = (world.staff(Role::Therapist), world.staff(Role::Therapist));
    let wish = world.request_time_off(&one, &world.therapists[0], (at(24), at(48))).await.expect("asked");
    world.request_time_off(&other, &world.therapists[1], (at(48), at(72))).await.expect("asked");
    let get = pb::GetTimeOffRequestRequest { name: wish.name.clone() };
    let hidden = world.roster().get_time_off_request(with_token(get.clone(), &other)).await.expect_err("another's");
    assert_eq!(hidden.code(), Code::NotFound);
    assert_eq!(world.withdraw(&other, &wish.name).await.expect_err("another's").code(), Code::NotFound);
    let list = pb::ListTimeOffRequestsRequest { store: world.store.clone(), ..Default::default() };
    let count = async |token: &str| {
        let listed = world.roster().list_time_off_requests(with_token(list.clone(), token)).await;
        listed.expect("a list").into_inner().time_off_requests.len()
    };
    assert_eq!((count(&one).await, count(&other).await, count(&world.manager()).await), (1, 1, 2));
    let elsewhere = Some(kernel::ids::StoreId::new(testkit::START));
    let stranger = testkit::keys().staff_token(StaffId::new(testkit::START), [Role::StoreManager], elsewhere);
    let refused = world.roster().get_time_off_request(with_token(get, &stranger)).await.expect_err("another store");
    assert_eq!(refused.code(), Code::PermissionDenied);
    let refused = world.request_time_off(&stranger, &world.therapists[0], (at(24), at(48))).await;
    assert_eq!(refused.expect_err("another store").code(), Code::PermissionDenied);
}
