//! Top-ups: an order like any other, whose money ends on a card.

use std::time::Duration;

use kernel::ids::{MemberId, StoreId};
use proto::{
    access::Role,
    payment::v1::{
        self as pb,
        order::State,
        payment::{Purpose, Tender},
    },
};
use tonic::{Code, Request, Status};

use super::desk::{Desk, figures};
use crate::wire::{cny, fresh, pay, refused, usd};

async fn ask(desk: &Desk, request: Request<pb::TopUpCardRequest>) -> Result<pb::Order, Status> {
    Ok(desk.client().top_up_card(request).await?.into_inner())
}

fn request(card: &str, amount: Option<proto::google::r#type::Money>) -> pb::TopUpCardRequest {
    pb::TopUpCardRequest { card: card.to_owned(), amount, customer: String::new(), request_id: fresh().to_string() }
}

#[tokio::test]
async fn a_member_tops_up_at_a_provider_and_the_notice_brings_the_lot() {
    let desk = Desk::open().await;
    desk.campaign(desk.offer(10_000, 1_500)).await;
    let card = desk.card().await;
    let wish = request(&card, cny(10_000));
    let order = ask(&desk, desk.house.as_member(wish.clone())).await.expect("an order");
    assert_eq!(ask(&desk, desk.house.as_member(wish)).await.expect("the same"), order);
    assert_eq!(
        (order.state(), order.subject.as_str(), order.booking.as_str()),
        (State::DepositPaid, card.as_str(), "")
    );
    let payment = desk.house.start(&order.name, Purpose::Balance).await;
    assert_eq!(desk.balance(&card).await, (0, 0), "nothing is there before it is paid");
    desk.house.press(&payment, "succeed", "twice").await;
    desk.house.deliver().await;
    assert_eq!(desk.house.get(&order.name).await.state(), State::Paid);
    assert_eq!(desk.balance(&card).await, (10_000, 1_500));
    let lots = desk.lots(&card).await;
    assert_eq!((lots.len(), lots[0].order.as_str()), (1, order.name.as_str()));
    assert_eq!(figures(&lots[0].principal), [10_000, 10_000, 0, 0, 0, 0]);
    assert_eq!(desk.house.events(&order.name).await, ["OrderCreated", "PaymentCaptured", "OrderPaid"]);
    desk.check().await;
}

#[tokio::test]
async fn what_is_paid_after_its_time_goes_back_whole() {
    let desk = Desk::open().await;
    desk.campaign(desk.offer(10_000, 1_500)).await;
    let card = desk.card().await;
    let order = desk.begin(&card, 10_000).await.expect("an order").name;
    let payment = desk.house.start(&order, Purpose::Balance).await;
    desk.house.press(&payment, "succeed", "late").await;
    desk.house.clock.advance(Duration::from_secs(3 * 3_600));
    assert_eq!(desk.lapse().await, 1);
    desk.house.deliver().await;
    while desk.house.send_refunds().await > 0 {}
    let ended = desk.house.get(&order).await;
    assert_eq!((ended.state(), ended.refunds.len()), (State::Closed, 1));
    assert_eq!((desk.balance(&card).await, desk.house.books().await), ((0, 0), vec![]));
    assert_eq!(desk.lots(&card).await, []);
    desk.check().await;
}

#[tokio::test]
async fn a_top_up_that_is_paid_does_not_lapse() {
    let desk = Desk::open().await;
    let card = desk.card().await;
    desk.top_up(&card, 1_000).await;
    desk.house.clock.advance(Duration::from_secs(86_400));
    assert_eq!((desk.lapse().await, desk.balance(&card).await), (0, (1_000, 0)));
}

#[tokio::test]
async fn bad_top_ups_are_refused_and_change_nothing() {
    let desk = Desk::open().await;
    let card = desk.card().await;
    let as_desk = |request| desk.house.as_desk(request);
    for amount in [cny(0), cny(-5), usd(5), None] {
        let refusal = refused(ask(&desk, as_desk(request(&card, amount.clone()))).await);
        assert_eq!(refusal.0, Code::InvalidArgument, "{amount:?}");
    }
    let unknown = request(&format!("cards/{}", fresh()), cny(100));
    assert_eq!(refused(ask(&desk, as_desk(unknown)).await).0, Code::NotFound);
    let foreign = desk.issue(desk.wish(Some(MemberId::from_uuid(fresh())))).await.name;
    assert_eq!(refused(ask(&desk, desk.house.as_member(request(&foreign, cny(100)))).await).0, Code::NotFound);
    let elsewhere = Some(StoreId::from_uuid(fresh()));
    let there = desk.house.as_staff(request(&card, cny(100)), Role::FrontDesk, elsewhere);
    assert_eq!(refused(ask(&desk, there).await).1, "CARD_OF_OTHER_STORE");
    let nobody = desk.issue(desk.wish(None)).await.name;
    assert_eq!(refused(ask(&desk, as_desk(request(&nobody, cny(100)))).await).0, Code::InvalidArgument, "who pays?");
    assert_eq!(desk.house.count("select count(*) from customer_order").await, 0);

    // Nothing is added to a top-up, and nobody pays a part of it.
    let order = desk.begin(&card, 100).await.expect("an order").name;
    let amend = desk.house.as_booking(crate::wire::amend(&order, 50));
    assert_eq!(refused(desk.house.client.clone().amend_order(amend).await).1, "NOT_A_VISIT");
    let part = pb::PayOrderRequest { amount: cny(99), ..pay(&order, Purpose::Balance, Tender::Cash) };
    assert_eq!(refused(desk.house.client.clone().pay_order(as_desk_pay(&desk, part)).await).1, "AMOUNT_MISMATCH");
    desk.check().await;
}

fn as_desk_pay(desk: &Desk, request: pb::PayOrderRequest) -> Request<pb::PayOrderRequest> {
    desk.house.as_desk(request)
}
