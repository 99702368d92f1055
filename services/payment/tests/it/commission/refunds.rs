//! The order of a visit is refunded: what was earned goes back in proportion.

use proto::payment::v1::payment::Purpose;

use super::office::{Office, new_rule};
use crate::{
    house::House,
    wire::{amend, refused},
};

async fn open() -> (House, Office) {
    let house = House::open().await;
    let office = Office::of(&house).await;
    (house, office)
}

/// What is booked on an account.
async fn booked(house: &House, code: &str) -> i64 {
    house.balances().await[code]
}

#[tokio::test]
async fn a_refund_takes_back_its_proportion_and_a_full_one_all() {
    let (house, office) = open().await;
    office.rules(3_333, 1_000).await;
    let (part, whole) = (house.order().await, house.order().await);
    for order in [&part, &whole] {
        house.cash(order, Purpose::Balance).await;
        office.complete(&office.visit(order).await.through("meituan")).await;
    }
    house.close(&part, Some(20_000)).await;
    house.close(&whole, None).await;
    // 9999 and 3000 of each; a third of the first order went back: 4333 in all, by largest remainder.
    let mut earned = office.earned().await;
    earned.sort_unstable();
    assert_eq!(earned, [(3_000, 1_000), (3_000, 3_000), (9_999, 3_333), (9_999, 9_999)]);
    assert_eq!(booked(&house, "commission_payable").await, -6_666);
    assert_eq!(booked(&house, "partner_payable").await, -2_000);
    assert_eq!(booked(&house, "commission_expense").await, 8_666);
    // Ended once; nothing more goes back.
    house.close(&part, None).await;
    assert_eq!(booked(&house, "commission_expense").await, 8_666);
}

#[tokio::test]
async fn refunds_add_up() {
    let (house, office) = open().await;
    office.rule(new_rule(3_333)).await;
    let order = house.order_of(10_000, 0).await;
    house.cash(&order, Purpose::Balance).await;
    office.complete(&office.visit(&order).await).await;
    let mut before = 0;
    for (lowered, expected) in [(1, 0), (2, 1), (3_330, 1_111), (1, 1_111)] {
        house.client.clone().amend_order(house.as_booking(amend(&order, -lowered))).await.expect("cheaper");
        let earned = office.earned().await;
        assert_eq!(earned, [(3_333, expected)]);
        assert!(expected >= before);
        before = expected;
    }
    house.close(&order, None).await;
    assert_eq!(office.earned().await, [(3_333, 3_333)]);
    assert_eq!(booked(&house, "commission_payable").await, 0);
    assert_eq!(booked(&house, "commission_expense").await, 0);
    let (reversed, rows) = (
        house.count("select count(*) from ledger_transaction where kind = 'commission_reversed'").await,
        house.count("select reversals::bigint from commission_visit").await,
    );
    assert_eq!(reversed, rows);
}

#[tokio::test]
async fn a_refund_before_the_visit_is_told_counts_the_same() {
    let (house, office) = open().await;
    office.rules(3_000, 1_000).await;
    let order = house.order().await;
    house.cash(&order, Purpose::Balance).await;
    let visit = office.visit(&order).await.through("meituan");
    house.close(&order, Some(20_000)).await;
    office.complete(&visit).await;
    assert_eq!(office.earned().await, [(3_000, 1_000), (9_000, 3_000)]);
    assert_eq!(booked(&house, "commission_expense").await, 8_000);
}

#[tokio::test]
async fn a_refund_that_is_on_its_way_counts() {
    let (house, office) = open().await;
    office.rule(new_rule(3_000)).await;
    let order = house.order().await;
    let payment = house.start(&order, Purpose::Balance).await;
    house.succeed(&payment).await;
    office.complete(&office.visit(&order).await).await;
    house.close(&order, None).await;
    assert_eq!(office.earned().await, [(9_000, 9_000)]);
    house.send_refunds().await;
    house.deliver().await;
    assert_eq!(office.earned().await, [(9_000, 9_000)], "its end takes nothing more");
}

#[tokio::test]
async fn a_refund_of_another_order_or_a_refused_one_takes_nothing() {
    let (house, office) = open().await;
    office.rule(new_rule(3_000)).await;
    let (visited, other) = (house.order().await, house.order().await);
    for order in [&visited, &other] {
        house.cash(order, Purpose::Balance).await;
    }
    office.complete(&office.visit(&visited).await).await;
    house.close(&other, None).await;
    let too_much = house.client.clone().amend_order(house.as_booking(amend(&visited, -30_000))).await;
    assert_eq!(refused(too_much).0, tonic::Code::InvalidArgument);
    assert_eq!(office.earned().await, [(9_000, 0)]);
}
