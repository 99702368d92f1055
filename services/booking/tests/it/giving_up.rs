//! What giving up costs, and visits that nobody came to.

use booking::{
    peers::Return,
    worker::{close_missed, run_tasks},
};
use proto::{
    access::Role,
    booking::v1::{self as pb, booking::State, cancel_preview::Source},
};
use rpc::convert::{money, to_money, to_timestamp};
use testkit::with_token;
use tonic::{Code, Status};

use crate::{
    fakes::Asked,
    world::{World, at, at_minute, cny, id, member, reason},
};

async fn preview(world: &World, token: &str, name: &str) -> Result<pb::CancelPreview, Status> {
    let request = pb::PreviewCancelRequest { name: name.to_owned(), reason: 0 };
    world.life().preview_cancel(with_token(request, token)).await.map(tonic::Response::into_inner)
}

fn fen(amount: &Option<proto::google::r#type::Money>) -> i64 {
    money("amount", amount.as_ref()).expect("an amount").minor()
}

/// Tiers of the store, or of its item, as minutes of notice and basis points.
async fn tiers(world: &World, of_item: bool, tiers: &[(i32, i32)]) {
    let id = |name: &str| name.split('/').nth(1).and_then(|id| kernel::Uuid::try_parse(id).ok()).expect("an id");
    for (notice, points) in tiers {
        sqlx::query("insert into cancellation_tier values ($1, $2, $3, $4)")
            .bind(id(&world.store))
            .bind(of_item.then(|| id(&world.item)))
            .bind(notice)
            .bind(points)
            .execute(world.app.pg.pool())
            .await
            .expect("a tier");
    }
}

async fn mark(world: &World, token: &str, name: &str) -> Result<pb::Booking, Status> {
    let request = pb::MarkNoShowRequest { name: name.to_owned(), request_id: id() };
    world.life().mark_no_show(with_token(request, token)).await.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn without_tiers_the_chains_rule_is_shown_and_kept() {
    let world = World::new(1, 1).await;
    let (_, token) = member();
    let booking = world.confirmed(&token, at(3)).await;
    let shown = preview(&world, &token, &booking.name).await.expect("a preview");
    assert_eq!((fen(&shown.paid), fen(&shown.fee), fen(&shown.refund)), (3_200, 0, 3_200));
    assert_eq!((shown.source(), shown.cheap_until_time), (Source::Chain, Some(to_timestamp(at(2)))));
    let terms: Vec<_> = shown.terms.iter().map(|term| (term.notice_minutes, fen(&term.fee))).collect();
    assert_eq!(terms, [(60, 0), (0, 3_200)]);
    world.clock.set(at_minute(121));
    let shown = preview(&world, &token, &booking.name).await.expect("a preview");
    assert_eq!((fen(&shown.fee), fen(&shown.refund), shown.cheap_until_time), (3_200, 0, None));
    let stranger = preview(&world, &member().1, &booking.name).await.expect_err("hidden");
    assert_eq!(stranger.code(), Code::NotFound);
    world.cancel(&token, &booking.name).await.expect("cancelled");
    assert_eq!(reason(&preview(&world, &token, &booking.name).await.expect_err("over")), "WRONG_STATE");
}

#[tokio::test]
async fn the_items_tiers_go_before_the_stores() {
    let world = World::new(2, 2).await;
    let (_, token) = member();
    let booking = world.confirmed(&token, at(3)).await;
    world.fake.pay(&booking.order, 16_000);
    tiers(&world, false, &[(0, 5_000), (120, 0)]).await;
    world.clock.set(at_minute(61));
    let shown = preview(&world, &token, &booking.name).await.expect("a preview");
    assert_eq!((shown.source(), fen(&shown.fee), fen(&shown.refund)), (Source::Store, 8_000, 8_000));
    tiers(&world, true, &[(0, 2_500), (30, 1_000)]).await;
    let shown = preview(&world, &token, &booking.name).await.expect("a preview");
    assert_eq!((shown.source(), fen(&shown.fee), fen(&shown.refund)), (Source::Item, 1_600, 14_400));
    assert_eq!(shown.cheap_until_time, Some(to_timestamp(at_minute(150))));
    assert_eq!(shown.terms.iter().map(|term| fen(&term.fee)).collect::<Vec<_>>(), [1_600, 4_000, 4_000]);
    world.cancel(&token, &booking.name).await.expect("cancelled");
    assert!(matches!(world.fake.asked().last(), Some(Asked::Close(_, Return::AllBut(kept), _)) if *kept == cny(1_600)));
}

#[tokio::test]
async fn nothing_stays_of_a_hold_or_at_the_stores_wish() {
    let world = World::new(1, 1).await;
    let (_, token) = member();
    let held = world.send_hold(&token, world.hold(at(3))).await.expect("held");
    tiers(&world, false, &[(0, 10_000)]).await;
    let shown = preview(&world, &token, &held.name).await.expect("a preview");
    assert_eq!((shown.source(), fen(&shown.fee), fen(&shown.paid)), (Source::NotConfirmed, 0, 0));
    world.fake.pay(&held.order, 3_200);
    world.paid(&held, 3_200).await;
    let shown = preview(&world, &world.staff(Role::FrontDesk), &held.name).await.expect("a preview");
    assert_eq!((shown.source(), fen(&shown.fee), fen(&shown.refund)), (Source::StoreRequest, 0, 3_200));
    // All of the price would stay, but only the deposit was paid.
    let shown = preview(&world, &token, &held.name).await.expect("a preview");
    assert_eq!((fen(&shown.fee), fen(&shown.refund)), (3_200, 0));
    world.fake.payment_down.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(preview(&world, &token, &held.name).await.expect_err("unknown").code(), Code::Unavailable);
}

#[tokio::test]
async fn whoever_was_shown_a_lower_fee_is_asked_again() {
    let world = World::new(1, 1).await;
    let (_, token) = member();
    let booking = world.confirmed(&token, at(3)).await;
    world.clock.set(at_minute(121));
    let request = |max_fee, request_id| pb::CancelBookingRequest {
        name: booking.name.clone(),
        max_fee: Some(to_money(cny(max_fee))),
        request_id,
        ..Default::default()
    };
    let send = async |request| world.bookings().cancel_booking(with_token(request, &token)).await;
    let refused = send(request(0, id())).await.expect_err("it costs the deposit by now");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "FEE_ROSE"));
    assert_eq!(world.get(&booking.name).await.state(), State::Confirmed);
    let agreed = request(3_200, id());
    let first = send(agreed.clone()).await.expect("cancelled").into_inner();
    world.fake.payment_down.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(send(agreed).await.expect("the same answer").into_inner(), first);
}

#[tokio::test]
async fn a_visit_that_nobody_came_to_is_closed_after_the_grace_time() {
    let world = World::new(2, 2).await;
    let booking = world.confirmed(&member().1, at(3)).await;
    let come = world.confirmed(&member().1, at(3)).await;
    let check_in = pb::CheckInBookingRequest { name: come.name.clone(), request_id: id() };
    let desk = world.staff(Role::FrontDesk);
    world.clock.set(at(2));
    world.bookings().check_in_booking(with_token(check_in, &desk)).await.expect("checked in");
    world.clock.set(at_minute(194));
    assert_eq!(close_missed(&world.app).await.expect("a step"), 0);
    world.clock.set(at_minute(195));
    assert_eq!(close_missed(&world.app).await.expect("a step"), 1);
    assert_eq!(close_missed(&world.app).await.expect("a step"), 0);
    let missed = world.get(&booking.name).await;
    assert_eq!(missed.state(), State::NoShow);
    let last = missed.history.last().map(|step| (step.actor.as_str(), step.reason.as_str()));
    assert_eq!(last, Some(("services/booking", "NO_SHOW")));
    assert_eq!(world.get(&come.name).await.state(), State::CheckedIn);
    assert_eq!(world.count("select count(*) from allocation").await, 2, "the time is free");
    run_tasks(&world.app).await.expect("done");
    let closed = world.fake.asked().into_iter().find(|asked| matches!(asked, Asked::Close(..)));
    assert!(matches!(closed, Some(Asked::Close(_, Return::AllBut(kept), "BOOKING_NO_SHOW")) if kept == cny(3_200)));
    let told = "select count(*) from outbox where type like '%BookingNoShow'";
    assert_eq!(world.count(told).await, 1);
}

#[tokio::test]
async fn a_store_may_wait_longer_and_staff_need_not_wait() {
    let world = World::new(2, 2).await;
    let booking = world.confirmed(&member().1, at(3)).await;
    let other = world.confirmed(&member().1, at(3)).await;
    let longer = "insert into store_policy (store_id, no_show_grace_minutes) select id, 40 from store";
    sqlx::query(longer).execute(world.app.pg.pool()).await.expect("a policy");
    world.clock.set(at_minute(219));
    assert_eq!(close_missed(&world.app).await.expect("a step"), 0);
    let desk = world.staff(Role::FrontDesk);
    let marked = mark(&world, &desk, &booking.name).await.expect("marked");
    assert_eq!((marked.state(), marked.overbooked), (State::NoShow, false));
    assert_eq!(reason(&mark(&world, &desk, &booking.name).await.expect_err("twice")), "WRONG_STATE");
    assert_eq!(world.count("select count(*) from audit_entry where action = 'booking.mark_no_show'").await, 1);
    world.clock.set(at_minute(220));
    assert_eq!(close_missed(&world.app).await.expect("a step"), 1);
    assert_eq!(world.get(&other.name).await.state(), State::NoShow);
}

#[tokio::test]
async fn nobody_is_missed_before_the_start() {
    let world = World::new(1, 1).await;
    let booking = world.confirmed(&member().1, at(3)).await;
    world.clock.set(at_minute(179));
    let refused = mark(&world, &world.staff(Role::FrontDesk), &booking.name).await.expect_err("too early");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "TOO_EARLY"));
}
