//! What is let through, queued and refused.

use std::{collections::BTreeSet, time::Duration};

use kernel::ids::StoreId;
use payment::worker::forget_risk_events;
use proto::payment::v1::{
    self as pb, RefundCause, RiskDecision, RiskOperation, RiskSubject,
    payment::{Purpose, Tender},
    risk_review::State,
};
use tonic::Code;

use super::{
    HOUR, above, after_top_up, as_office, at_most, client, just_below, make, no_more_than, paid, refund, reviews, rule,
};
use crate::{
    checkout::{self, refund_all},
    house::House,
    prepaid::shop::{Shop, ten},
    stored_value::desk::Desk,
    wire::{fresh, minor, pay, refusal, refused},
};

const PAYMENT: RiskOperation = RiskOperation::Payment;
const REFUSED: &str = "RISK_REFUSED";

/// Somebody pays so much in cash; the reason for which it is refused, or nothing.
async fn cash(house: &House, fen: i64) -> String {
    let order = house.order_of(fen, 0).await;
    let request = house.as_desk(pay(&order, Purpose::Balance, Tender::Cash));
    house.client.clone().pay_order(request).await.map_or_else(|status| refusal(&status).1, |_| String::new())
}

#[tokio::test]
async fn as_it_comes_nothing_is_refused_counted_or_queued() {
    let house = House::open().await;
    assert_eq!(house.count("select count(*) from risk_rule where enabled").await, 0);
    assert!(house.count("select count(*) from risk_rule").await >= 7);
    for _ in 0..25 {
        assert_eq!(cash(&house, 100_000_000).await, "");
    }
    let order = paid(&house, 300_000).await;
    refund(&house, &refund_all(&order)).await.expect("given back");
    assert_eq!(house.count("select count(*) from risk_event").await, 0);
    assert!(reviews(&house).await.is_empty());
}

#[tokio::test]
async fn a_window_rolls_and_a_refusal_is_noted_without_a_word_to_the_customer() {
    let house = House::open().await;
    let made = make(&house, rule(PAYMENT, at_most(RiskSubject::Member, 2), RiskDecision::Refuse)).await;
    assert_eq!(cash(&house, 100).await, "");
    house.clock.advance(Duration::from_secs(1_800));
    assert_eq!(cash(&house, 100).await, "");
    let order = house.order_of(100, 0).await;
    let request = pay(&order, Purpose::Balance, Tender::Sandbox);
    let status = house.try_pay(request.clone()).await.expect_err("refused");
    assert_eq!(refusal(&status), (Code::FailedPrecondition, REFUSED.to_owned()));
    assert!(!status.message().contains(char::is_numeric), "{}", status.message());
    assert_eq!(refused(house.try_pay(request.clone()).await).1, REFUSED);
    assert!(house.get(&order).await.payments.is_empty(), "a refused call changes nothing");

    let noted = reviews(&house).await;
    assert_eq!(noted.len(), 1, "the same request is noted once");
    assert_eq!((noted[0].state(), noted[0].operation(), noted[0].held), (State::Refused, PAYMENT, false));
    assert_eq!((&noted[0].target, &noted[0].rules, minor(&noted[0].amount)), (&order, &vec![made.name], 100));
    assert_eq!(noted[0].reasons, ["A rule: number 3 in 3600 s, of 2 that pass"]);
    assert_eq!((&noted[0].actor, &noted[0].customer), (&house.member.name(), &house.member.name()));

    // An hour after the first there is room for one, and the same request is that one.
    house.clock.advance(Duration::from_secs(1_800));
    house.try_pay(request).await.expect("let through");
    assert_eq!(cash(&house, 100).await, REFUSED);
}

#[tokio::test]
async fn sums_stores_staff_and_addresses_are_counted_each_by_itself() {
    let house = House::open().await;
    for (subject, fen) in [(RiskSubject::Store, 1_000), (RiskSubject::Staff, 500)] {
        make(&house, rule(PAYMENT, no_more_than(subject, fen), RiskDecision::Refuse)).await;
    }
    make(&house, rule(PAYMENT, at_most(RiskSubject::Address, 1), RiskDecision::Refuse)).await;
    assert_eq!(cash(&house, 500).await, "");
    assert_eq!(cash(&house, 1).await, REFUSED, "the same staff");
    let from = |order: &str, ip: &str| {
        let payer = Some(pb::Payer { ip: ip.to_owned(), ..pb::Payer::default() });
        pb::PayOrderRequest { payer, ..pay(order, Purpose::Balance, Tender::Sandbox) }
    };
    for (fen, ip, refusal) in
        [(1, "10.0.0.1", ""), (1, "10.0.0.1", REFUSED), (1, "10.0.0.2", ""), (498, "", ""), (1, "", REFUSED)]
    {
        let order = house.order_of(fen, 0).await;
        let reason = house
            .try_pay(from(&order, ip))
            .await
            .map_or_else(|status| crate::wire::refusal(&status).1, |_| String::new());
        assert_eq!(reason, refusal, "{fen} from {ip}");
    }
    assert_eq!(house.count("select count(*) from risk_event where key like '%10.0.0%'").await, 0, "no address is kept");
}

#[tokio::test]
async fn what_is_paid_with_one_card_is_counted() {
    let house = House::open().await;
    let card = checkout::card(&house, 1_000).await;
    make(&house, rule(PAYMENT, at_most(RiskSubject::Card, 1), RiskDecision::Refuse)).await;
    for expected in ["", REFUSED] {
        let order = house.order_of(10, 0).await;
        let tender = pb::CheckoutTender { source: card.name(), ..checkout::tender(Tender::StoredValue, 10) };
        let answer = checkout::start(&house, &checkout::request(&order, &[tender])).await;
        assert_eq!(answer.map_or_else(|status| refusal(&status).1, |_| String::new()), expected);
    }
    assert_eq!(cash(&house, 10).await, "");
}

#[tokio::test]
async fn a_payment_to_be_reviewed_happens_and_is_queued() {
    let house = House::open().await;
    make(&house, rule(PAYMENT, above(1_000), RiskDecision::Review)).await;
    assert_eq!((cash(&house, 1_000).await, cash(&house, 1_001).await), (String::new(), String::new()));
    let queued = reviews(&house).await;
    assert_eq!(queued.len(), 1);
    assert_eq!((queued[0].state(), queued[0].held, minor(&queued[0].amount)), (State::Open, false, 1_001));
    // One that allows goes before one that refuses, and only at its store.
    make(&house, rule(PAYMENT, above(2_000), RiskDecision::Refuse)).await;
    assert_eq!(cash(&house, 2_001).await, REFUSED);
    let elsewhere = StoreId::from_uuid(fresh()).name();
    make(&house, pb::RiskRule { store: elsewhere, ..rule(PAYMENT, above(0), RiskDecision::Allow) }).await;
    assert_eq!(cash(&house, 2_001).await, REFUSED);
    make(&house, pb::RiskRule { store: house.store.name(), ..rule(PAYMENT, above(0), RiskDecision::Allow) }).await;
    assert_eq!(cash(&house, 2_001).await, "");
}

#[tokio::test]
async fn the_end_of_a_contract_is_refused_or_queued_and_never_held() {
    let shop = Shop::open().await;
    let contract = shop.sell(ten()).await.name;
    let refuse = make(&shop.house, rule(RiskOperation::Refund, above(0), RiskDecision::Refuse)).await;
    assert_eq!(refused(shop.refund(&contract, RefundCause::ConsumerWish).await).1, REFUSED);
    assert_eq!(shop.house.count("select count(*) from prepaid_refund").await, 0);
    let softer = pb::RiskRule { decision: RiskDecision::Review.into(), ..refuse };
    let request = pb::UpdateRiskRuleRequest { rule: Some(softer), request_id: fresh().to_string() };
    client(&shop.house).update_risk_rule(as_office(request)).await.expect("softer");
    shop.refund(&contract, RefundCause::ConsumerWish).await.expect("by law");
    let states: BTreeSet<_> =
        reviews(&shop.house).await.into_iter().map(|of| (of.state().as_str_name(), of.held)).collect();
    assert_eq!(states, BTreeSet::from([("STATE_OPEN", false), ("STATE_REFUSED", false)]));
}

#[tokio::test]
async fn what_no_rule_looks_back_to_is_forgotten() {
    let house = House::open().await;
    make(&house, rule(PAYMENT, at_most(RiskSubject::Member, 9), RiskDecision::Refuse)).await;
    for _ in 0..2 {
        assert_eq!(cash(&house, 100).await, "");
        house.clock.advance(Duration::from_secs(20 * 86_400));
    }
    assert_eq!(forget_risk_events(&house.app).await.expect("forgotten"), 1);
    assert_eq!(house.count("select count(*) from risk_event").await, 1);
    assert_eq!(forget_risk_events(&house.app).await.expect("forgotten"), 0);
}

#[tokio::test]
async fn top_ups_just_below_a_limit_and_refunds_soon_after_are_seen() {
    let desk = Desk::open().await;
    let card = desk.card().await;
    make(&desk.house, rule(RiskOperation::TopUp, just_below(1_000, 50, 1), RiskDecision::Refuse)).await;
    make(&desk.house, rule(RiskOperation::Refund, after_top_up(), RiskDecision::Refuse)).await;
    let order = paid(&desk.house, 500).await;
    for (fen, refusal) in [(949, ""), (1_000, ""), (960, ""), (999, REFUSED), (940, "")] {
        let answer = desk.begin(&card, fen).await;
        assert_eq!(answer.map_or_else(|status| crate::wire::refusal(&status).1, |_| String::new()), refusal, "{fen}");
    }
    assert_eq!(refused(refund(&desk.house, &refund_all(&order)).await).1, REFUSED);
    desk.house.clock.advance(Duration::from_secs(HOUR.unsigned_abs()));
    refund(&desk.house, &refund_all(&order)).await.expect("given back");
}
