use proto::payment::v1::{checkout::State, payment::Tender};
use tonic::Code;

use super::*;
use crate::{keeper::Fate, wire::refused};

#[tokio::test]
async fn who_is_away_or_does_not_say_is_asked_again_by_the_same_request() {
    for deaf in [false, true] {
        let house = House::open().await;
        house.points.fill(1_000);
        let order = house.order_of(5_000, 0).await;
        let request = with_points(&order, Tender::Cash, 4_000);
        house.points.set_down(!deaf);
        house.points.set_deaf(deaf);
        for _ in 0..2 {
            assert_eq!(refused(start(&house, &request).await).0, Code::Unavailable);
        }
        assert_eq!((house.books().await, house.get(&order).await.payments.len()), (vec![], 0));
        house.points.set_down(false);
        house.points.set_deaf(false);
        assert_eq!(start(&house, &request).await.expect("goes on").state(), State::Captured);
        tell(&house).await;
        assert_eq!((house.points.fate(), house.points.purse()), (Fate::Committed, 0));
        house.clock.advance(TOO_LATE);
        tell(&house).await;
        assert_eq!(house.points.fate(), Fate::Committed, "nobody gives it up any more");
        sound(&house).await;
    }
}

#[tokio::test]
async fn what_nobody_goes_on_with_is_given_up_wherever_it_stopped() {
    for deaf in [false, true] {
        let house = House::open().await;
        house.points.fill(1_000);
        let order = house.order_of(5_000, 0).await;
        let request = with_points(&order, Tender::Cash, 4_000);
        house.points.set_down(!deaf);
        house.points.set_deaf(deaf);
        assert_eq!(refused(start(&house, &request).await).0, Code::Unavailable);
        house.points.set_down(false);
        house.points.set_deaf(false);
        tell(&house).await;
        assert_eq!(house.points.purse(), if deaf { 0 } else { 1_000 }, "it may still be gone on with");
        house.clock.advance(TOO_LATE);
        tell(&house).await;
        assert_eq!((house.points.fate(), house.points.purse()), (Fate::Voided, 1_000));
        let answer = refused(start(&house, &request).await);
        assert_eq!(answer, (Code::FailedPrecondition, "CHECKOUT_ENDED".to_owned()));
        assert_eq!(house.books().await, []);
        start(&house, &with_points(&order, Tender::Cash, 4_000)).await.expect("anew");
        sound(&house).await;
    }
}

#[tokio::test]
async fn what_was_decided_is_told_when_its_keeper_is_back_and_counts_once() {
    for deaf in [false, true] {
        let house = House::open().await;
        house.points.fill(1_000);
        let order = house.order_of(5_000, 0).await;
        start(&house, &with_points(&order, Tender::Cash, 4_000)).await.expect("paid");
        give_back(&house, &order, amount(300)).await.expect("given back");
        house.points.set_down(!deaf);
        house.points.set_deaf(deaf);
        for _ in 0..3 {
            tell(&house).await;
        }
        house.points.set_down(false);
        house.points.set_deaf(false);
        tell(&house).await;
        tell(&house).await;
        assert_eq!((house.points.fate(), house.points.purse()), (Fate::Committed, 300));
        sound(&house).await;
    }
}

#[tokio::test]
async fn what_its_keeper_has_lost_is_not_captured() {
    let house = House::open().await;
    house.points.fill(1_000);
    let order = house.order_of(5_000, 0).await;
    let request = with_points(&order, Tender::Cash, 4_000);
    house.points.set_deaf(true);
    assert_eq!(refused(start(&house, &request).await).0, Code::Unavailable);
    house.points.set_deaf(false);
    house.points.void_all();
    assert_eq!(refused(start(&house, &request).await).1, "REDEMPTION_ENDED");
    assert_eq!((house.books().await, house.get(&order).await.payments.len()), (vec![], 0));
    assert_eq!(refused(start(&house, &request).await).1, "CHECKOUT_ENDED");
    tell(&house).await;
    sound(&house).await;
}

#[tokio::test]
async fn what_its_keeper_will_not_have_is_found_by_the_audit() {
    let house = House::open().await;
    house.points.fill(1_000);
    let order = house.order_of(5_000, 0).await;
    start(&house, &with_points(&order, Tender::Cash, 4_000)).await.expect("paid");
    house.points.set_forgetful(true);
    tell(&house).await;
    let broken = audit::broken(&mut house.db.pg.conn().await.expect("a connection")).await;
    assert_eq!(broken.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["peer_tender.told"]);
    assert!(broken[0].1.contains("REDEMPTION_ENDED"), "{broken:?}");
}
