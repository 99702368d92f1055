//! The life of a coupon as its visit goes on.

use std::time::Duration;

use kernel::ids::MemberId;
use marketing::{Policy, worker::release_coupons};
use proto::marketing::v1::{Quote, coupon::State};

use crate::{
    support::{World, member, minor, open_policy},
    visits::{Told, Visit},
};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3_600);

async fn quoted(world: &World, customer: MemberId) -> (Quote, Visit) {
    let quote = world.quote(customer).await;
    let visit = Visit::new(world, customer, &quote.name);
    (quote, visit)
}

#[tokio::test]
async fn it_is_redeemed_once_when_the_visit_is_confirmed() {
    let (world, me) = (World::new().await, member());
    let (quote, visit) = quoted(&world, me).await;
    world.tell(&visit, &[(Told::Held, 1), (Told::AwaitingPayment, 2)]).await;
    assert_eq!(world.coupon_state(me).await, State::Reserved);
    world.tell(&visit, &[(Told::Confirmed, 3), (Told::CheckedIn, 4), (Told::Completed, 6)]).await;
    let coupon = world.coupon(me).await;
    assert_eq!((coupon.state(), coupon.quote), (State::Redeemed, quote.name));
    assert_eq!(world.events().await, ["CouponRedeemed"]);
    assert_eq!((minor(world.quote(me).await.price.as_ref()), world.overruns().await), (29_800, 0));
}

#[tokio::test]
async fn it_is_free_again_when_the_visit_is_given_up() {
    for end in [Told::Cancelled, Told::Expired] {
        let (world, me) = (World::new().await, member());
        let (_, visit) = quoted(&world, me).await;
        world.tell(&visit, &[(Told::Held, 1), (end, 2)]).await;
        assert_eq!(world.coupon_state(me).await, State::Available);
        assert_eq!(world.events().await, ["CouponReleased"]);
        assert_eq!(minor(world.quote(me).await.price.as_ref()), 23_840, "it can be used again");
    }
}

#[tokio::test]
async fn a_late_cancellation_gives_a_redeemed_one_back() {
    let (world, me) = (World::new().await, member());
    let (_, visit) = quoted(&world, me).await;
    world.tell(&visit, &[(Told::Held, 1), (Told::Confirmed, 3), (Told::Cancelled, 4)]).await;
    assert_eq!(world.coupon_state(me).await, State::Available);
    assert_eq!(world.events().await, ["CouponRedeemed", "CouponReleased"]);
}

#[tokio::test]
async fn events_in_any_order_end_in_the_same_state() {
    use Told::{AwaitingPayment, Cancelled, Completed, Confirmed, Held};
    let orders: [(&[(Told, i64)], State); 4] = [
        (&[(Confirmed, 3), (AwaitingPayment, 2), (Held, 1)], State::Redeemed),
        (&[(Cancelled, 4), (Confirmed, 3), (Held, 1)], State::Available),
        (&[(Held, 1), (Cancelled, 4), (Confirmed, 3)], State::Available),
        (&[(Completed, 6), (Confirmed, 3)], State::Redeemed),
    ];
    for (order, state) in orders {
        let (world, me) = (World::new().await, member());
        let (_, visit) = quoted(&world, me).await;
        world.tell(&visit, order).await;
        assert_eq!(world.coupon_state(me).await, state, "{order:?}");
    }
}

#[tokio::test]
async fn the_same_event_twice_counts_once() {
    let (world, me) = (World::new().await, member());
    let (_, visit) = quoted(&world, me).await;
    world.tell(&visit, &[(Told::Confirmed, 3), (Told::Confirmed, 3)]).await;
    assert_eq!(world.events().await, ["CouponRedeemed"]);
    assert_eq!(world.told(me).await.len(), 2);
}

#[tokio::test]
async fn a_reinstated_visit_takes_it_again() {
    let (world, me) = (World::new().await, member());
    let (_, visit) = quoted(&world, me).await;
    world.tell(&visit, &[(Told::Held, 1), (Told::Expired, 2), (Told::Reinstated, 3)]).await;
    assert_eq!(world.coupon_state(me).await, State::Redeemed);
    assert_eq!(world.overruns().await, 0);
}

#[tokio::test]
async fn a_reinstated_visit_keeps_its_price_when_another_has_the_coupon() {
    let (world, me) = (World::new().await, member());
    let (_, late) = quoted(&world, me).await;
    world.tell(&late, &[(Told::Held, 1), (Told::Expired, 2)]).await;
    let (second, other) = quoted(&world, me).await;
    world.tell(&other, &[(Told::Held, 1)]).await;
    world.tell(&late, &[(Told::Reinstated, 3), (Told::CheckedIn, 4)]).await;
    assert_eq!(world.overruns().await, 1);
    let coupon = world.coupon(me).await;
    assert_eq!((coupon.state(), coupon.quote), (State::Reserved, second.name));
    // The other is given up: the visit that went without it has it now.
    world.tell(&other, &[(Told::Cancelled, 2)]).await;
    world.tell(&late, &[(Told::Completed, 6)]).await;
    assert_eq!((world.coupon_state(me).await, world.overruns().await), (State::Redeemed, 0));
}

#[tokio::test]
async fn an_overrun_of_a_cancelled_visit_is_void() {
    let (world, me) = (World::new().await, member());
    let (_, late) = quoted(&world, me).await;
    world.tell(&late, &[(Told::Expired, 2)]).await;
    let (_, other) = quoted(&world, me).await;
    world.tell(&other, &[(Told::Confirmed, 3)]).await;
    world.tell(&late, &[(Told::Reinstated, 3)]).await;
    assert_eq!(world.overruns().await, 1);
    world.tell(&late, &[(Told::Cancelled, 4)]).await;
    assert_eq!((world.overruns().await, world.coupon_state(me).await), (0, State::Redeemed));
}

#[tokio::test]
async fn a_quote_without_a_booking_gives_it_back_after_a_quarter_of_an_hour() {
    let (world, me, heard) = (World::new().await, member(), member());
    world.quote(me).await;
    let (_, visit) = quoted(&world, heard).await;
    world.tell(&visit, &[(Told::Held, 1)]).await;
    world.clock.advance(15 * MINUTE - Duration::from_micros(1));
    assert_eq!(release_coupons(&world.app).await.expect("looked"), 0);
    world.clock.advance(Duration::from_micros(1));
    assert_eq!(release_coupons(&world.app).await.expect("looked"), 1);
    assert_eq!(release_coupons(&world.app).await.expect("looked"), 0);
    assert_eq!(world.events().await, ["CouponReleased"]);
    assert_eq!((state(&world, me).await, state(&world, heard).await), ("AVAILABLE".into(), "RESERVED".into()));
}

#[tokio::test]
async fn a_booking_heard_of_late_takes_the_reservation_up_again() {
    let (world, me) = (World::new().await, member());
    let (_, visit) = quoted(&world, me).await;
    world.clock.advance(15 * MINUTE);
    release_coupons(&world.app).await.expect("looked");
    world.tell(&visit, &[(Told::Held, 1)]).await;
    assert_eq!(state(&world, me).await, "RESERVED");
}

/// Without a call, whose token would be too old by now.
async fn state(world: &World, customer: MemberId) -> String {
    sqlx::query_scalar("select state from coupon where customer_id = $1")
        .bind(customer.uuid())
        .fetch_one(world.app.pg.pool())
        .await
        .expect("a coupon")
}

#[tokio::test]
async fn who_has_visited_gets_none() {
    let (world, me) = (World::new().await, member());
    world.tell(&Visit::new(&world, me, ""), &[(Told::Completed, 6)]).await;
    let quote = world.quote(me).await;
    assert_eq!(minor(quote.price.as_ref()), 29_800);
    assert_eq!(quote.adjustments[1].explanation, "It is for the first visit only.");
    let coupons: i64 =
        sqlx::query_scalar("select count(*) from coupon").fetch_one(world.app.pg.pool()).await.expect("counted");
    assert_eq!(coupons, 0);
}

#[tokio::test]
async fn one_that_was_not_used_at_the_first_visit_reads_as_expired() {
    let (world, me) = (World::new().await, member());
    assert_eq!(world.coupon_state(me).await, State::Available);
    world.tell(&Visit::new(&world, me, ""), &[(Told::Completed, 6)]).await;
    assert_eq!(world.coupon_state(me).await, State::Expired);
    assert_eq!(minor(world.quote(me).await.price.as_ref()), 29_800);
}

#[tokio::test]
async fn it_can_be_used_for_ninety_days() {
    let (world, me) = (World::new().await, member());
    assert_eq!(world.coupon_state(me).await, State::Available);
    world.clock.advance(90 * DAY);
    assert_eq!(world.coupon_state(me).await, State::Expired);
    let quote = world.quote(me).await;
    assert_eq!(quote.adjustments[1].explanation, "The coupon has expired.");
}

#[tokio::test]
async fn the_campaign_can_be_off() {
    let world = World::with(Policy { first_visit_basis_points: 0, ..open_policy() }).await;
    let quote = world.quote(member()).await;
    assert_eq!((quote.adjustments.len(), minor(quote.price.as_ref())), (1, 29_800));
}

#[tokio::test]
async fn a_quote_that_is_not_ours_or_anothers_does_not_hold_up_the_feed() {
    let (world, me) = (World::new().await, member());
    let unknown = Visit::new(&world, me, &kernel::ids::QuoteId::new(testkit::START).name());
    world.tell(&unknown, &[(Told::Confirmed, 3)]).await;
    let (quote, visit) = quoted(&world, me).await;
    world.tell(&visit, &[(Told::Confirmed, 3)]).await;
    let thief = Visit::new(&world, me, &quote.name);
    world.tell(&thief, &[(Told::Cancelled, 2)]).await;
    assert_eq!(world.coupon_state(me).await, State::Redeemed, "another's booking does not free it");
}

/// Who did not come has used it; a change of the time takes it along.
#[tokio::test]
async fn it_stays_with_its_visit_through_changes_and_a_no_show() {
    use Told::{AwaitingPayment, CheckedIn, Confirmed, Extended, Held, HoldExtended, Moved, NoShow, Rescheduled};
    let stories: [&[(Told, i64)]; 3] = [
        &[(Held, 1), (AwaitingPayment, 2), (HoldExtended, 3), (Confirmed, 4), (Rescheduled, 5), (NoShow, 6)],
        &[(Held, 1), (Confirmed, 3), (Moved, 4), (CheckedIn, 5), (Extended, 7)],
        &[(Held, 1), (NoShow, 5), (Rescheduled, 4), (Confirmed, 3)],
    ];
    for story in stories {
        let (world, me) = (World::new().await, member());
        let (_, visit) = quoted(&world, me).await;
        world.tell(&visit, story).await;
        assert_eq!(world.coupon_state(me).await, State::Redeemed, "{story:?}");
        assert_eq!(world.events().await, ["CouponRedeemed"], "{story:?}");
    }
}
