//! A visit is paid with a session: the line whole, what it is worth is earned, and it comes back with the refund.

use std::sync::Arc;

use kernel::ids::{MemberId, StoreId};
use payment::flows::audit::audit;
use proto::payment::v1::{
    self as pb, ContractTerms, checkout::State as CheckoutState, contract::State, order::State as OrderState,
    payment::Tender, refund_order_request::What,
};
use tokio::task::JoinSet;
use tonic::{Code, Status};

use super::shop::{DAY, Shop, item, ten, year};
use crate::{
    checkout::{client, external, refund, refund_all, request, start, tender},
    wire::{amend, cny, fresh, minor, refusal, refused},
};

/// An item of a contract and of a visit.
fn service() -> String {
    format!("items/{}", fresh())
}

/// A visit of `fen` for an item.
async fn visit_of(shop: &Shop, item: &str, fen: i64) -> String {
    let mut new = shop.house.new_order(fen, 0);
    new.lines[0].item = item.to_owned();
    shop.house.client.clone().create_order(shop.house.as_booking(new)).await.expect("an order").into_inner().name
}

/// A contract of `count` sessions of an item, each worth 300 yuan of a list price of 400.
async fn sessions(shop: &Shop, service: &str, count: i32) -> pb::Contract {
    let price = cny(30_000 * i64::from(count));
    shop.sell(ContractTerms { price, items: vec![item(service, count, 0, 40_000)], ..ten() }).await
}

/// What pays with a session.
fn by(contract: &pb::Contract, service: &str, fen: i64) -> pb::CheckoutTender {
    pb::CheckoutTender {
        source: contract.name.clone(),
        item: service.to_owned(),
        ..tender(Tender::PrepaidSession, fen)
    }
}

/// A visit of `fen`, and a contract of ten sessions of which one can pay it.
pub async fn visit(shop: &Shop, fen: i64) -> (String, pb::CheckoutTender) {
    let service = service();
    let contract = sessions(shop, &service, 10).await;
    (visit_of(shop, &service, fen).await, by(&contract, &service, fen))
}

/// Pays a visit with a session.
pub async fn pay(shop: &Shop, order: &str, session: &pb::CheckoutTender, fen: i64) -> Result<pb::Checkout, Status> {
    let tenders = [pb::CheckoutTender { amount: cny(fen), ..session.clone() }];
    Ok(client(&shop.house).start_checkout(shop.house.as_member(request(order, &tenders))).await?.into_inner())
}

async fn give_back(shop: &Shop, request: pb::RefundOrderRequest) -> Result<pb::OrderReturn, Status> {
    Ok(client(&shop.house).refund_order(shop.as_manager(request)).await?.into_inner())
}

async fn audited(shop: &Shop) {
    for finding in audit(&shop.house.db.pg, |_| {}).await.expect("looked") {
        assert!(finding.breaches.is_empty(), "{finding:?}");
    }
}

async fn takings(shop: &Shop) -> i64 {
    -shop.house.balances().await.get("takings").copied().unwrap_or(0)
}

#[tokio::test]
async fn a_session_pays_its_line_whole_and_earns_what_it_is_worth() {
    for price in [40_000, 35_000, 30_000, 25_000, 1] {
        let shop = Shop::open().await;
        let (order, session) = visit(&shop, price).await;
        let done = pay(&shop, &order, &session, price).await.expect("paid");
        assert_eq!((done.state(), shop.house.get(&order).await.state()), (CheckoutState::Captured, OrderState::Paid));
        let contract = shop.get(&session.source).await;
        assert_eq!((contract.used, minor(&contract.recognised)), (vec![1], 30_000), "{price}");
        let books = [
            ("cash_drawer".to_owned(), 300_000),
            ("prepaid_liability".to_owned(), -270_000),
            ("takings".to_owned(), -30_000),
        ];
        assert_eq!(shop.house.books().await, books, "{price}");
        audited(&shop).await;

        // All of it given back, the session is free again, and owed.
        give_back(&shop, refund_all(&order)).await.expect("given back");
        let contract = shop.get(&session.source).await;
        assert_eq!((contract.used, minor(&contract.recognised)), (vec![0], 0), "{price}");
        let books = [("cash_drawer".to_owned(), 300_000), ("prepaid_liability".to_owned(), -300_000)];
        assert_eq!(shop.house.books().await, books, "{price}");
        let told = ["created", "activated", "use_committed", "use_returned"];
        assert_eq!(shop.changes(&session.source).await, told);
        audited(&shop).await;
    }
}

#[tokio::test]
async fn a_session_waits_for_the_provider_with_the_others() {
    let shop = Shop::open().await;
    for (outcome, used, captured) in [("fail", 0, CheckoutState::Voided), ("succeed", 1, CheckoutState::Captured)] {
        let (order, session) = visit(&shop, 40_000).await;
        let product = amend(&order, 10_000);
        shop.house.client.clone().amend_order(shop.house.as_booking(product)).await.expect("a product too");
        let tenders = [session.clone(), tender(Tender::Sandbox, 7_000), tender(Tender::Cash, 3_000)];
        let open = start(&shop.house, &request(&order, &tenders)).await.expect("started");
        assert_eq!(shop.get(&session.source).await.reserved, [1]);
        let refused_end = refused(shop.refund(&session.source, pb::RefundCause::ConsumerWish).await);
        assert_eq!(refused_end.1, "USES_RESERVED");
        audited(&shop).await;
        shop.house.press(&external(&open), outcome, "").await;
        shop.house.deliver().await;
        let contract = shop.get(&session.source).await;
        assert_eq!((contract.used, contract.reserved), (vec![used], vec![0]));
        let known = crate::checkout::get(&shop.house, &open).await;
        assert_eq!(known.state(), captured);
        audited(&shop).await;
    }
    assert_eq!(takings(&shop).await, 30_000 + 10_000);
}

#[tokio::test]
async fn money_goes_back_for_money_and_a_session_for_a_session() {
    let shop = Shop::open().await;
    let (order, session) = visit(&shop, 40_000).await;
    shop.house.client.clone().amend_order(shop.house.as_booking(amend(&order, 50_000))).await.expect("more");
    let tenders = [session.clone(), tender(Tender::Cash, 50_000)];
    start(&shop.house, &request(&order, &tenders)).await.expect("paid");
    let line = |line, amount| {
        let one = pb::ReturnLine { line, amount };
        What::Lines(pb::ReturnLines { lines: vec![one] })
    };
    let part = give_back(&shop, refund(&order, line(0, cny(10_000)))).await;
    assert_eq!(refused(part).1, "SESSION_PAYS_WHOLE");
    let too_much = give_back(&shop, refund(&order, What::Amount(cny(60_000).expect("an amount")))).await;
    assert_eq!(refused(too_much).1, "SESSION_PAYS_WHOLE");
    // The line of the session gives the session back, and no cash.
    give_back(&shop, refund(&order, line(0, None))).await.expect("given back");
    assert_eq!(shop.get(&session.source).await.used, [0]);
    assert_eq!(shop.house.balances().await["cash_drawer"], 300_000 + 50_000);
    give_back(&shop, refund(&order, line(1, None))).await.expect("given back");
    assert_eq!((takings(&shop).await, shop.house.balances().await["cash_drawer"]), (0, 300_000));
    audited(&shop).await;
}

#[tokio::test]
async fn a_price_that_sinks_makes_no_money_of_a_session() {
    let shop = Shop::open().await;
    let (order, session) = visit(&shop, 40_000).await;
    pay(&shop, &order, &session, 40_000).await.expect("paid");
    shop.house.client.clone().amend_order(shop.house.as_booking(amend(&order, -15_000))).await.expect("cheaper");
    let after = shop.house.get(&order).await;
    assert_eq!((after.state(), minor(&after.paid)), (OrderState::Paid, 25_000));
    assert_eq!((takings(&shop).await, shop.get(&session.source).await.used), (30_000, vec![1]));
    audited(&shop).await;
    give_back(&shop, refund_all(&order)).await.expect("given back");
    assert_eq!((takings(&shop).await, shop.get(&session.source).await.used), (0, vec![0]));
    audited(&shop).await;
}

#[tokio::test]
async fn of_a_visit_that_is_called_off_a_session_comes_back_whole_or_stays() {
    let shop = Shop::open().await;
    for (keep, used, earned) in [(Some(5_000), 0, 0), (None, 0, 0), (Some(40_000), 1, 30_000)] {
        let before = takings(&shop).await;
        let (order, session) = visit(&shop, 40_000).await;
        pay(&shop, &order, &session, 40_000).await.expect("paid");
        shop.house.close(&order, keep).await;
        assert_eq!(shop.get(&session.source).await.used, [used], "{keep:?}");
        assert_eq!(takings(&shop).await - before, earned, "{keep:?}");
        audited(&shop).await;
    }
}

#[tokio::test]
async fn a_session_of_a_contract_that_has_ended_comes_back_as_what_it_was_worth() {
    let shop = Shop::open().await;
    let (order, session) = visit(&shop, 40_000).await;
    pay(&shop, &order, &session, 40_000).await.expect("paid");
    shop.refund(&session.source, pb::RefundCause::MerchantBreach).await.expect("ended");
    assert_eq!(takings(&shop).await, 30_000);
    give_back(&shop, refund_all(&order)).await.expect("given back");
    let balances = shop.house.balances().await;
    assert_eq!((balances["refunds_payable"], balances["takings"], balances["cash_drawer"]), (-30_000, 0, 30_000));
    audited(&shop).await;
    let payout: kernel::Uuid = sqlx::query_scalar("select id from payout where reason = 'SESSION_RETURNED'")
        .fetch_one(shop.house.db.pg.pool())
        .await
        .expect("a payout");
    crate::payouts::hand_over(&shop, &format!("payouts/{payout}")).await;
    assert_eq!(shop.house.books().await, []);
    audited(&shop).await;
}

#[tokio::test]
async fn the_last_session_given_back_makes_the_contract_usable_again() {
    let shop = Shop::open().await;
    let service = service();
    let contract = sessions(&shop, &service, 1).await;
    let order = visit_of(&shop, &service, 40_000).await;
    pay(&shop, &order, &by(&contract, &service, 40_000), 40_000).await.expect("paid");
    assert_eq!(shop.get(&contract.name).await.state(), State::UsedUp);
    give_back(&shop, refund_all(&order)).await.expect("given back");
    assert_eq!(shop.get(&contract.name).await.state(), State::Active);
    let next = visit_of(&shop, &service, 38_000).await;
    pay(&shop, &next, &by(&contract, &service, 38_000), 38_000).await.expect("paid");
    shop.house.clock.advance(200 * DAY);
    give_back(&shop, refund_all(&next)).await.expect("given back");
    assert_eq!(shop.get(&contract.name).await.state(), State::Expired, "its time is over meanwhile");
    audited(&shop).await;
}

#[tokio::test]
async fn unlimited_service_pays_too_and_is_earned_by_the_day() {
    let shop = Shop::open().await;
    let contract = shop.sell(year()).await;
    shop.house.clock.advance(2 * DAY);
    let service = service();
    let order = visit_of(&shop, &service, 40_000).await;
    pay(&shop, &order, &by(&contract, &service, 40_000), 40_000).await.expect("paid");
    assert_eq!(takings(&shop).await, 3_000, "three days of ten yuan");
    give_back(&shop, refund_all(&order)).await.expect("given back");
    assert_eq!(takings(&shop).await, 3_000);
    audited(&shop).await;
}

#[tokio::test]
async fn who_serves_earns_what_another_store_has_sold() {
    let shop = Shop::open().await;
    let service = service();
    let contract = sessions(&shop, &service, 2).await;
    let there = StoreId::from_uuid(fresh());
    let mut new = shop.house.new_order(40_000, 0);
    new.lines[0].item = service.clone();
    new.store = there.name();
    let order = shop.house.client.clone().create_order(shop.house.as_booking(new)).await.expect("an order");
    let order = order.into_inner().name;
    pay(&shop, &order, &by(&contract, &service, 40_000), 40_000).await.expect("paid");
    let at = sqlx::query_as::<_, (String, i64)>(
        "select account, sum(amount_minor)::bigint from ledger_entry where store_id = $1 group by account
         having sum(amount_minor) <> 0 order by account",
    );
    let entries = at.bind(there.uuid()).fetch_all(shop.house.db.pg.pool()).await.expect("entries");
    assert_eq!(entries, [("store_clearing".to_owned(), 30_000), ("takings".to_owned(), -30_000)]);
    let all = shop.house.as_staff(refund_all(&order), proto::access::Role::Finance, None);
    client(&shop.house).refund_order(all).await.expect("given back");
    assert_eq!(takings(&shop).await, 0);
    audited(&shop).await;
}

#[tokio::test]
async fn what_a_session_can_not_pay_is_refused_and_changes_nothing() {
    let shop = Shop::open().await;
    let (order, session) = visit(&shop, 40_000).await;
    let before = (shop.get(&session.source).await, shop.house.books().await);
    let unfit = |reason: &str| (Code::FailedPrecondition, reason.to_owned());
    let split = [pb::CheckoutTender { amount: cny(30_000), ..session.clone() }, tender(Tender::Cash, 10_000)];
    assert_eq!(refused(start(&shop.house, &request(&order, &split)).await), unfit("SESSION_PAYS_WHOLE"));
    let other = pb::CheckoutTender { item: service(), ..session.clone() };
    assert_eq!(refused(pay(&shop, &order, &other, 40_000).await).0, Code::InvalidArgument);
    let unknown = pb::CheckoutTender { source: format!("contracts/{}", fresh()), ..session.clone() };
    assert_eq!(refused(pay(&shop, &order, &unknown, 40_000).await).0, Code::NotFound);
    let ahead = shop.draft(ten()).await.order;
    assert_eq!(refused(pay(&shop, &ahead, &session, 300_000).await), unfit("NOT_A_VISIT"));
    let draft = shop.draft(ContractTerms { items: vec![item(&session.item, 10, 0, 40_000)], ..ten() }).await;
    let unpaid = by(&draft, &session.item, 40_000);
    assert_eq!(refused(pay(&shop, &order, &unpaid, 40_000).await), unfit("CONTRACT_NOT_USABLE"));
    assert_eq!((shop.get(&session.source).await, shop.house.books().await), before);

    // A line is paid by one session, and what is handed over pays its new holder's visits only.
    let first = shop.house.new_order(40_000, 0);
    let mut twice = pb::CreateOrderRequest { deposit: cny(20_000), ..first };
    twice.lines[0].item = session.item.clone();
    twice.lines[0].amount = cny(20_000);
    let more = pb::OrderLine { item: service(), ..twice.lines[0].clone() };
    twice.lines.push(more);
    let made = shop.house.client.clone().create_order(shop.house.as_booking(twice)).await.expect("an order");
    let made = made.into_inner().name;
    let deposit = pb::StartCheckoutRequest {
        purpose: pb::payment::Purpose::Deposit.into(),
        ..request(&made, &[pb::CheckoutTender { amount: cny(20_000), ..session.clone() }])
    };
    start(&shop.house, &deposit).await.expect("the first line");
    assert_eq!(refused(pay(&shop, &made, &session, 20_000).await), unfit("LINE_PAID"));
    let used: kernel::Uuid = sqlx::query_scalar("select id from prepaid_use where payment_id is not null")
        .fetch_one(shop.house.db.pg.pool())
        .await
        .expect("a use");
    let used = format!("contractUses/{used}");
    assert_eq!(refused(shop.void(&used).await), unfit("USE_OF_PAYMENT"));
    assert_eq!(refused(shop.commit(&used).await), unfit("USE_OF_PAYMENT"));
    shop.transfer(&session.source, MemberId::from_uuid(fresh())).await.expect("handed over");
    assert_eq!(refused(pay(&shop, &order, &session, 40_000).await), unfit("NOT_THE_HOLDER"));
    audited(&shop).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_visits_that_one_session_shall_pay_it_pays_one() {
    let shop = Arc::new(Shop::open().await);
    let service = service();
    let contract = sessions(&shop, &service, 1).await;
    let mut calls = JoinSet::new();
    for _ in 0..64 {
        let order = visit_of(&shop, &service, 40_000).await;
        let (shop, session) = (Arc::clone(&shop), by(&contract, &service, 40_000));
        calls.spawn(async move {
            // Whoever finds too many others at work is told so, and asks again.
            loop {
                match pay(&shop, &order, &session, 40_000).await {
                    Err(status) if status.code() == Code::Unavailable => {}
                    answer => return answer.map(drop).map_err(|status| refusal(&status).1),
                }
            }
        });
    }
    let (paid, refused): (Vec<_>, Vec<_>) = calls.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!((paid.len(), refused.len()), (1, 63));
    assert!(refused.iter().all(|answer| *answer == Err("CONTRACT_NOT_USABLE".to_owned())), "{refused:?}");
    assert_eq!((takings(&shop).await, shop.get(&contract.name).await.state()), (30_000, State::UsedUp));
    audited(&shop).await;
}
