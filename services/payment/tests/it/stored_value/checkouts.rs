//! A visit is paid with a card in a checkout, and given back to it.

use kernel::ids::MemberId;
use proto::payment::v1::{
    self as pb,
    order::State,
    payment::{Purpose, Tender},
};
use tonic::{Request, Status};

use super::desk::{Desk, figures};
use crate::{
    checkout::{client, external},
    wire::{cny, fresh, minor, refused},
};

fn with_card(order: &str, card: &str, fen: i64, rest: i64) -> pb::StartCheckoutRequest {
    let tender = |tender: Tender, source: &str, fen| pb::CheckoutTender {
        tender: tender.into(),
        source: source.to_owned(),
        amount: cny(fen),
        ..Default::default()
    };
    let mut tenders = vec![tender(Tender::StoredValue, card, fen)];
    if rest > 0 {
        tenders.push(tender(Tender::Sandbox, "", rest));
    }
    let purpose = Purpose::Balance.into();
    pb::StartCheckoutRequest { order: order.to_owned(), purpose, tenders, request_id: fresh().to_string(), payer: None }
}

async fn start(desk: &Desk, request: Request<pb::StartCheckoutRequest>) -> Result<pb::Checkout, Status> {
    Ok(client(&desk.house).start_checkout(request).await?.into_inner())
}

#[tokio::test]
async fn money_and_bonus_pay_together_with_a_provider_and_come_back_to_their_lots() {
    let desk = Desk::open().await;
    desk.campaign(desk.offer(10_000, 2_500)).await;
    let card = desk.card().await;
    desk.top_up(&card, 10_000).await;
    let order = desk.house.order_of(9_000, 0).await;
    let request = desk.house.as_member(with_card(&order, &card, 5_000, 4_000));
    let open = start(&desk, request).await.expect("started");
    let lot = desk.lots(&card).await.remove(0);
    assert_eq!(
        (figures(&lot.principal), figures(&lot.bonus)),
        ([10_000, 10_000, 4_000, 0, 0, 0], [2_500, 2_500, 1_000, 0, 0, 0])
    );
    desk.check().await;
    desk.house.succeed(&external(&open)).await;
    assert_eq!(desk.house.get(&order).await.state(), State::Paid);
    assert_eq!(desk.balance(&card).await, (6_000, 1_500));
    desk.check().await;

    let closed = desk.house.close(&order, Some(2_000)).await;
    while desk.house.send_refunds().await > 0 {}
    assert_eq!(closed.state(), State::Closed);
    assert_eq!(minor(&desk.house.get(&order).await.refunded), 7_000);
    let (money, bonus) = desk.balance(&card).await;
    assert!(money >= 6_000 && bonus >= 1_500 && (money - 6_000) == 4 * (bonus - 1_500), "{money} {bonus}");
    desk.check().await;
}

#[tokio::test]
async fn what_the_provider_does_not_get_frees_the_card() {
    let desk = Desk::open().await;
    let card = desk.card().await;
    desk.top_up(&card, 10_000).await;
    let order = desk.house.order_of(9_000, 0).await;
    let open = start(&desk, desk.house.as_desk(with_card(&order, &card, 5_000, 4_000))).await.expect("started");
    desk.house.press(&external(&open), "fail", "").await;
    desk.house.deliver().await;
    assert_eq!((desk.balance(&card).await, desk.owed(&card).await), ((10_000, 0), (10_000, 0)));
    assert!(!desk.lots(&card).await.iter().any(|lot| figures(&lot.principal)[2] > 0));
    desk.check().await;
}

#[tokio::test]
async fn a_member_pays_with_nobody_elses_card_and_the_desk_with_what_is_shown() {
    let desk = Desk::open().await;
    let theirs = desk.issue(desk.wish(Some(MemberId::from_uuid(fresh())))).await.name;
    let anonymous = desk.issue(desk.wish(None)).await.name;
    desk.top_up(&anonymous, 1_000).await;
    let order = desk.house.order_of(500, 0).await;
    let as_member = |card: &str| desk.house.as_member(with_card(&order, card, 500, 0));
    assert_eq!(refused(start(&desk, as_member(&theirs)).await).1, "NOT_THE_HOLDER");
    assert_eq!(refused(start(&desk, as_member(&anonymous)).await).1, "CARD_NOT_SHOWN");
    assert_eq!(
        refused(start(&desk, desk.house.as_desk(with_card(&order, &theirs, 500, 0))).await).1,
        "INSUFFICIENT_BALANCE"
    );
    start(&desk, desk.house.as_desk(with_card(&order, &anonymous, 500, 0))).await.expect("paid");
    assert_eq!((desk.house.get(&order).await.state(), desk.balance(&anonymous).await), (State::Paid, (500, 0)));
    desk.check().await;
}
