//! Refunds of orders that go on.

use std::collections::HashSet;

use prost::Message;
use proto::{
    access::Role,
    payment::v1::{
        self as pb,
        order::State,
        payment::{Purpose, Tender},
        preview_refund_request,
        refund::State as RefundState,
        refund_order_request::What,
    },
};
use tokio::task::JoinSet;
use tonic::{Code, Status};

use super::{card, client, external, on_card, refund, refund_all, request, spend, start, tender};
use crate::{
    house::House,
    subjects::{card as empty_card, paid_ahead},
    wire::{amend, cny, fresh, minor, refusal, refused, usd},
};

async fn give(house: &House, request: &pb::RefundOrderRequest) -> Result<pb::OrderReturn, Status> {
    let request = house.as_staff(request.clone(), Role::StoreManager, Some(house.store));
    Ok(client(house).refund_order(request).await?.into_inner())
}

fn amount(minor: i64) -> What {
    What::Amount(cny(minor).expect("given"))
}

fn lines(wanted: &[(i32, Option<i64>)]) -> What {
    let line = |(line, minor): &(i32, Option<i64>)| pb::ReturnLine { line: *line, amount: minor.and_then(cny) };
    What::Lines(pb::ReturnLines { lines: wanted.iter().map(line).collect() })
}

/// An order of 100 yuan: 40 at the provider, 30 from a card, 20 by terminal, 10 in cash.
async fn mixed(house: &House) -> (String, kernel::ids::CardId) {
    let (order, card) = (house.order_of(10_000, 7_000).await, card(house, 10_000).await);
    let deposit = [tender(Tender::Sandbox, 4_000), tender(Tender::CardTerminal, 2_000), tender(Tender::Cash, 1_000)];
    let request = pb::StartCheckoutRequest { purpose: Purpose::Deposit.into(), ..request(&order, &deposit) };
    let open = start(house, &request).await.expect("open");
    house.succeed(&external(&open)).await;
    spend(house, &order, card, 3_000, 0).await.expect("paid");
    assert_eq!(house.get(&order).await.state(), State::Paid);
    (order, card)
}

#[tokio::test]
async fn an_amount_goes_back_by_the_tenders_in_their_order() {
    let house = House::open().await;
    let (order, card) = mixed(&house).await;
    let what = Some(preview_refund_request::What::Amount(cny(8_000).expect("given")));
    let preview = house.as_desk(pb::PreviewRefundRequest { name: order.clone(), what });
    let preview = client(&house).preview_refund(preview).await.expect("a preview").into_inner();
    let shares: Vec<_> = preview.shares.iter().map(|share| (share.tender(), minor(&share.amount))).collect();
    let expected =
        [(Tender::Sandbox, 4_000), (Tender::CardTerminal, 2_000), (Tender::Cash, 1_000), (Tender::StoredValue, 1_000)];
    assert_eq!(shares, expected);
    assert!(house.get(&order).await.refunds.is_empty(), "a preview changes nothing");

    let request = refund(&order, amount(8_000));
    let given = give(&house, &request).await.expect("given back");
    assert_eq!(give(&house, &request).await.expect("replayed"), given);
    let parts: Vec<_> = given.refunds.iter().map(|refund| (minor(&refund.amount), refund.state())).collect();
    let (done, pending) = (RefundState::Succeeded, RefundState::Pending);
    assert_eq!(parts, [(4_000, pending), (2_000, done), (1_000, done), (1_000, done)]);
    assert_eq!(on_card(&house, card).await, (8_000, 0));
    let after = house.get(&order).await;
    assert_eq!((after.state(), minor(&after.refunded)), (State::Paid, 4_000));
    house.send_refunds().await;
    assert_eq!(minor(&house.get(&order).await.refunded), 8_000);
    let books = house.balances().await;
    assert_eq!((books["takings"], books["provider_receivable"], books["card_terminal"]), (-2_000, 0, 0));
    assert_eq!(house.events(&order).await.iter().filter(|event| *event == "OrderReturned").count(), 1);
    assert_eq!(house.events(&order).await.iter().filter(|event| *event == "RefundSucceeded").count(), 4);
    let told = "select count(*) from audit_entry where action = 'payment.refund_order'";
    assert_eq!(house.count(told).await, 1);

    let rest = give(&house, &refund_all(&order)).await.expect("the rest");
    assert_eq!((minor(&rest.amount), on_card(&house, card).await), (2_000, (10_000, 0)));
    let nothing = refused(give(&house, &refund_all(&order)).await);
    assert_eq!(nothing, (Code::FailedPrecondition, "NOTHING_REFUNDABLE".to_owned()));
}

#[tokio::test]
async fn lines_give_back_what_they_cost() {
    let house = House::open().await;
    let mut new = house.new_order(10_000, 0);
    new.lines.push(pb::OrderLine { amount: cny(5_000), ..new.lines[0].clone() });
    let order = house.client.clone().create_order(house.as_booking(new)).await.expect("made").into_inner().name;
    house.cash(&order, Purpose::Balance).await;
    let once = give(&house, &refund(&order, lines(&[(1, None), (0, Some(100))]))).await.expect("given back");
    assert_eq!(minor(&once.amount), 5_100);
    let given: Vec<_> = once.lines.iter().map(|line| (line.line, minor(&line.amount))).collect();
    assert_eq!(given, [(1, 5_000), (0, 100)]);
    let exceeds = (Code::FailedPrecondition, "REFUND_EXCEEDS_LINE".to_owned());
    assert_eq!(refused(give(&house, &refund(&order, lines(&[(1, Some(1))]))).await), exceeds);
    assert_eq!(refused(give(&house, &refund(&order, lines(&[(0, Some(9_901))]))).await), exceeds);
    for bad in [lines(&[(2, None)]), lines(&[(-1, None)]), lines(&[]), lines(&[(0, None), (0, None)])] {
        assert_eq!(refused(give(&house, &refund(&order, bad)).await).0, Code::InvalidArgument);
    }
    let beyond = sqlx::query("insert into order_return_line select id, 0, 9901 from order_return");
    assert!(beyond.execute(house.db.pg.pool()).await.is_err(), "the database sees to it too");
    give(&house, &refund(&order, lines(&[(0, None)]))).await.expect("the rest");
    assert_eq!(house.books().await, []);
}

#[tokio::test]
async fn what_can_not_go_back_is_refused() {
    let house = House::open().await;
    let (order, _) = mixed(&house).await;
    let reason = async |request: pb::RefundOrderRequest| refused(give(&house, &request).await);
    let unfit = |reason: &str| (Code::FailedPrecondition, reason.to_owned());
    assert_eq!(reason(refund(&order, amount(10_001))).await, unfit("REFUND_EXCEEDS_CAPTURED"));
    for bad in [amount(0), amount(-1), What::All(false), What::Amount(usd(1).expect("given"))] {
        assert_eq!(reason(refund(&order, bad)).await.0, Code::InvalidArgument);
    }
    let lowered = pb::RefundOrderRequest { reason: "PRICE_LOWERED".to_owned(), ..refund_all(&order) };
    assert_eq!(reason(lowered).await.0, Code::InvalidArgument);
    let of_refund = refund_all(&format!("refunds/{}", fresh()));
    assert_eq!(reason(of_refund).await, (Code::InvalidArgument, "REFUND_OF_REFUND".to_owned()));
    assert_eq!(reason(refund_all(&format!("orders/{}", fresh()))).await.0, Code::NotFound);
    assert_eq!(reason(refund_all(&house.order().await)).await, unfit("NOT_PAID"));
    let ahead = paid_ahead(&house, payment::domain::Subject::TopUp(empty_card(&house).await), 100).await;
    house.cash(&ahead, Purpose::Balance).await;
    assert_eq!(reason(refund_all(&ahead)).await, unfit("NOT_A_VISIT"));
    let elsewhere = Some(kernel::ids::StoreId::from_uuid(fresh()));
    let stranger = house.as_staff(refund_all(&order), Role::StoreManager, elsewhere);
    assert_eq!(refused(client(&house).refund_order(stranger).await).1, "OTHER_STORE");
    assert_eq!(house.count("select count(*) from refund").await, 0);

    give(&house, &refund(&order, amount(100))).await.expect("given back");
    let more = house.client.clone().amend_order(house.as_booking(amend(&order, 100))).await;
    assert_eq!(refused(more), unfit("ORDER_REFUNDED"));
    house.close(&order, None).await;
    while house.send_refunds().await > 0 {}
    assert_eq!(minor(&house.get(&order).await.refunded), 10_000);
    assert_eq!(reason(refund_all(&order)).await, unfit("NOT_PAID"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_refunds_of_60_on_100_one_is_given() {
    let house = House::open().await;
    for _ in 0..3 {
        let (order, card) = mixed(&house).await;
        let mut wanting = JoinSet::new();
        for _ in 0..10 {
            let request = house.as_staff(refund(&order, amount(6_000)), Role::StoreManager, Some(house.store));
            let mut client = client(&house);
            wanting.spawn(async move { client.refund_order(request).await.map_err(|status| refusal(&status).1) });
        }
        let (given, refused): (Vec<_>, Vec<_>) = wanting.join_all().await.into_iter().partition(Result::is_ok);
        assert_eq!((given.len(), refused.len()), (1, 9));
        for reason in refused.into_iter().filter_map(Result::err) {
            assert_eq!(reason, "REFUND_EXCEEDS_CAPTURED");
        }
        let worker = async { house.send_refunds().await };
        let rest = refund(&order, amount(4_000));
        let (_, rest) = tokio::join!(worker, give(&house, &rest));
        assert_eq!(minor(&rest.expect("that is left").amount), 4_000);
        while house.send_refunds().await > 0 {}
        assert_eq!((minor(&house.get(&order).await.refunded), on_card(&house, card).await), (10_000, (10_000, 0)));
        house.events(&order).await;
    }
    assert_eq!(house.balances().await.get("takings").copied().unwrap_or(0), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twins_of_a_refund_are_one() {
    let house = House::open().await;
    let (order, _) = mixed(&house).await;
    let request = refund(&order, amount(5_000));
    let mut twins = JoinSet::new();
    for _ in 0..30 {
        let request = house.as_staff(request.clone(), Role::StoreManager, Some(house.store));
        let mut client = client(&house);
        twins.spawn(async move { client.refund_order(request).await.expect("an answer").into_inner().encode_to_vec() });
    }
    let answers: HashSet<Vec<u8>> = twins.join_all().await.into_iter().collect();
    assert_eq!((answers.len(), house.count("select count(*) from order_return").await), (1, 1));
}
