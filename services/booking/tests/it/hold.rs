//! Keeping a time.

use kernel::ids::MemberId;
use proto::{access::Role, booking::v1::booking::State};
use tonic::Code;

use crate::{
    fakes::Asked,
    world::{World, at, at_minute, cny, id, member, reason},
};

#[tokio::test]
async fn a_hold_keeps_the_time_prices_it_and_has_its_order_made() {
    let world = World::new(1, 1).await;
    let (member, token) = member();
    let held = world.send_hold(&token, world.hold(at(1))).await.expect("held");
    assert_eq!((held.state(), held.version), (State::Held, 1));
    assert_eq!((held.customer.clone(), held.therapist.clone()), (member.name(), world.therapists[0].clone()));
    let now = world.get(&held.name).await;
    assert_eq!(now.state(), State::AwaitingPayment);
    let steps: Vec<_> = now.history.iter().map(|step| (step.state(), step.actor.clone())).collect();
    assert_eq!(steps, [(State::Held, member.name()), (State::AwaitingPayment, "services/booking".to_owned())]);
    let asked = world.fake.asked();
    let [Asked::Create(order)] = asked.as_slice() else { panic!("one order is made, not {asked:?}") };
    assert_eq!((order.id.name(), order.price, order.deposit), (held.order, cny(16_000), cny(3_200)));
}

#[tokio::test]
async fn a_taken_time_is_refused_with_the_reason() {
    let world = World::new(1, 1).await;
    let (_, token) = member();
    world.send_hold(&token, world.hold(at(1))).await.expect("held");
    let refused = world.send_hold(&member().1, world.hold(at_minute(90))).await.expect_err("taken");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "SLOT_TAKEN"));
    assert_eq!(world.count("select count(*) from booking").await, 1);
}

#[tokio::test]
async fn without_a_wish_the_least_busy_therapist_is_taken() {
    let world = World::new(3, 3).await;
    let mut therapists = Vec::new();
    for hour in 0..6 {
        therapists.push(world.send_hold(&member().1, world.hold(at(hour))).await.expect("held").therapist);
    }
    for therapist in &world.therapists {
        assert_eq!(therapists.iter().filter(|taken| *taken == therapist).count(), 2, "{therapists:?}");
    }
}

#[tokio::test]
async fn a_repeat_gets_the_same_answer_even_after_the_time_has_passed() {
    let world = World::new(1, 1).await;
    let (_, token) = member();
    let request = world.hold(at(1));
    let first = world.send_hold(&token, request.clone()).await.expect("held");
    world.clock.set(at_minute(14));
    let again = world.send_hold(&token, request.clone()).await.expect("the same answer");
    assert_eq!(first, again);
    let other = world.send_hold(
        &token,
        proto::booking::v1::HoldSlotRequest { item: world.item.clone(), start_time: None, ..request },
    );
    assert_eq!(other.await.expect_err("other content").code(), Code::InvalidArgument);
    assert_eq!((world.fake.quotes(), world.count("select count(*) from booking").await), (1, 1));
}

#[tokio::test]
async fn payment_away_does_not_stop_a_hold_and_the_order_is_made_later() {
    let world = World::new(1, 1).await;
    world.fake.payment_down.store(true, std::sync::atomic::Ordering::Relaxed);
    let held = world.send_hold(&member().1, world.hold(at(1))).await.expect("held");
    assert_eq!(world.get(&held.name).await.state(), State::Held);
    world.fake.payment_down.store(false, std::sync::atomic::Ordering::Relaxed);
    world.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(booking::worker::run_tasks(&world.app).await.expect("done"), 1);
    assert_eq!(world.get(&held.name).await.state(), State::AwaitingPayment);
    assert_eq!(world.fake.asked().len(), 1);
}

#[tokio::test]
async fn staff_book_for_a_member_who_exists() {
    let world = World::new(1, 1).await;
    let desk = world.staff(Role::FrontDesk);
    let nobody = world.send_hold(&desk, world.hold(at(1))).await.expect_err("no customer");
    assert_eq!(crate::world::field(&nobody), "customer");
    let (known, _) = member();
    let mut request = world.hold(at(1));
    request.customer = known.name();
    assert_eq!(world.send_hold(&desk, request.clone()).await.expect("held").customer, known.name());
    let stranger = MemberId::new(testkit::START);
    world.fake.strangers.lock().expect("not poisoned").push(stranger);
    let request = proto::booking::v1::HoldSlotRequest { customer: stranger.name(), request_id: id(), ..request };
    assert_eq!(world.send_hold(&desk, request).await.expect_err("unknown").code(), Code::NotFound);
}

#[tokio::test]
async fn what_staff_hold_is_audited() {
    let world = World::new(1, 1).await;
    let mut request = world.hold(at(1));
    request.customer = member().0.name();
    world.send_hold(&world.staff(Role::FrontDesk), request).await.expect("held");
    world.send_hold(&member().1, world.hold(at(3))).await.expect("held");
    assert_eq!(world.count("select count(*) from audit_entry where action = 'booking.hold'").await, 1);
}

/// A quote reserves the customer's coupon: whoever is refused a time would miss it at the next.
#[tokio::test]
async fn a_refused_hold_asks_for_no_quote() {
    let world = World::new(1, 1).await;
    world.send_hold(&member().1, world.hold(at(1))).await.expect("held");
    let (_, token) = member();
    for start in [at(1), at(13), at(24 * 7)] {
        world.send_hold(&token, world.hold(start)).await.expect_err("taken, closed, nobody on duty");
    }
    assert_eq!(world.fake.quotes(), 1);
}

#[tokio::test]
async fn nobody_books_in_anothers_name() {
    let world = World::new(1, 1).await;
    let mut request = world.hold(at(1));
    request.customer = MemberId::new(testkit::START).name();
    assert_eq!(world.send_hold(&member().1, request).await.expect_err("another").code(), Code::NotFound);
}
