//! Orders for what is paid ahead, and reductions.

use kernel::{
    Currency, Money,
    ids::{CardId, ContractId, OrderId},
};
use payment::{
    domain::{Line, NewOrder, Subject},
    flows::create_order::create_in_tx,
};
use prost::Message;
use proto::payment::v1::{self as pb, order::State, payment::Purpose};
use tonic::Code;

use crate::{
    house::House,
    stored_value::desk::Desk,
    wire::{amend, cny, fresh, minor, refused},
};

/// An order of `total` fen for something that is paid ahead; its name.
pub async fn paid_ahead(house: &House, subject: Subject, total: i64) -> String {
    let zero = Money::zero(Currency::CNY);
    let new = NewOrder {
        id: OrderId::from_uuid(fresh()),
        subject,
        customer: house.member,
        store: house.store,
        lines: vec![Line {
            item: subject.name(),
            display_name: "Paid ahead".to_owned(),
            amount: Money::new(total, Currency::CNY),
            discount: zero,
            amendment: None,
        }],
        discount: zero,
        deposit: zero,
    };
    let mut tx = house.app.pg.begin().await.expect("begun");
    let made = create_in_tx(&mut tx, house.clock_now(), new.clone()).await.expect("made");
    assert_eq!(create_in_tx(&mut tx, house.clock_now(), new).await.expect("found"), made);
    tx.commit().await.expect("committed");
    made.id.name()
}

/// A card of the house's member with nothing on it.
pub async fn card(house: &House) -> CardId {
    let issued = Desk::issue_at(house, Desk::wish_at(house, Some(house.member))).await;
    CardId::parse_name("card", &issued.name).expect("a name")
}

#[tokio::test]
async fn what_is_paid_ahead_is_owed_to_its_card_or_contract() {
    let house = House::open().await;
    let (card, contract) = (card(&house).await, ContractId::from_uuid(fresh()));
    // A top-up is given back with its card; what is kept of a contract stays owed to it.
    for (subject, account, kept) in [
        (Subject::TopUp(card), "stored_value_principal", 50_000),
        (Subject::Contract(contract), "prepaid_liability", 20_000),
    ] {
        let order = paid_ahead(&house, subject, 50_000).await;
        house.cash(&order, Purpose::Balance).await;
        let paid = house.get(&order).await;
        assert_eq!((paid.state(), paid.subject, paid.booking), (State::Paid, subject.name(), String::new()));
        assert_eq!(house.balances().await[account], -50_000);
        let captured: Vec<u8> = sqlx::query_scalar(
            "select payload from outbox where type like '%.PaymentCaptured' order by position desc limit 1",
        )
        .fetch_one(house.db.pg.pool())
        .await
        .expect("an event");
        let facts = pb::PaymentCaptured::decode(captured.as_slice()).expect("it reads").order.unwrap_or_default();
        assert_eq!((facts.booking, facts.subject), (String::new(), subject.name()));

        let refusal = house.client.clone().amend_order(house.as_booking(amend(&order, 100))).await;
        assert_eq!(refused(refusal), (Code::FailedPrecondition, "NOT_A_VISIT".to_owned()));
        let close = house.client.clone().close_order(house.as_booking(crate::wire::close(&order, Some(20_000)))).await;
        match subject {
            Subject::TopUp(_) => assert_eq!(refused(close).1, "TOP_UP_PAID"),
            _ => drop(close.expect("closed")),
        }
        assert_eq!(house.balances().await[account], -kept);
    }
    assert_eq!(house.balances().await.get("takings").copied().unwrap_or(0), 0);
}

#[tokio::test]
async fn what_was_spent_is_not_given_back_again() {
    let house = House::open().await;
    let card = card(&house).await;
    let order = paid_ahead(&house, Subject::TopUp(card), 50_000).await;
    house.cash(&order, Purpose::Balance).await;
    sqlx::query("update ledger_balance set posted_minor = 10000").execute(house.db.pg.pool()).await.expect("spent");
    let cause = pb::RefundCause::ConsumerWish.into();
    let request_id = fresh().to_string();
    let refund = pb::RefundCardRequest { card: card.name(), cause, request_id, ..Default::default() };
    let refund = house.as_staff(refund, proto::access::Role::StoreManager, Some(house.store));
    let answer = refused(Desk::client_of(&house).refund_card(refund).await);
    assert_eq!(answer, (Code::FailedPrecondition, "INSUFFICIENT_BALANCE".to_owned()));
    assert_eq!(house.get(&order).await.state(), State::Paid);
}

#[tokio::test]
async fn a_reduction_of_the_whole_is_spread_over_the_lines() {
    let house = House::open().await;
    let mut request = house.new_order(10_000, 1_000);
    let first = request.lines[0].clone();
    request.lines[0].discount = cny(2_000);
    request.lines.push(pb::OrderLine { amount: cny(20_001), ..first });
    request.discount = cny(10_000);
    let mut client = house.client.clone();
    let made = client.create_order(house.as_booking(request.clone())).await.expect("made").into_inner();
    assert_eq!((minor(&made.total), minor(&made.discount)), (20_001, 12_000));
    let lines: Vec<_> = made.lines.iter().map(|line| (minor(&line.amount), minor(&line.discount))).collect();
    assert_eq!(lines, [(6_667, 5_333), (13_334, 6_667)]);
    assert_eq!(house.get(&made.name).await, made);
    let again = pb::CreateOrderRequest { request_id: fresh().to_string(), ..request.clone() };
    assert_eq!(client.create_order(house.as_booking(again)).await.expect("found").into_inner(), made);

    let fresh_order =
        || pb::CreateOrderRequest { order_id: fresh().to_string(), request_id: fresh().to_string(), ..request.clone() };
    for discount in [cny(-1), cny(30_002), crate::wire::usd(1)] {
        let bad = pb::CreateOrderRequest { discount, ..fresh_order() };
        assert_eq!(refused(client.create_order(house.as_booking(bad)).await).0, Code::InvalidArgument);
    }
    let mut bad = fresh_order();
    bad.lines[0].discount = cny(-1);
    assert_eq!(refused(client.create_order(house.as_booking(bad)).await).0, Code::InvalidArgument);
    assert_eq!(house.count("select count(*) from customer_order").await, 1);
}

#[tokio::test]
async fn the_database_keeps_orders_whole() {
    let house = House::open().await;
    house.order().await;
    for sql in [
        "update customer_order set discount_minor = 1",
        "update customer_order set total_minor = 29999",
        "update customer_order set subject_kind = 'top_up'",
        "update customer_order set booking_id = null",
        "update customer_order set subject_id = id",
        "update order_line set discount_minor = -1",
    ] {
        let refused = sqlx::query(sql).execute(house.db.pg.pool()).await;
        assert!(refused.is_err(), "{sql}");
    }
}
