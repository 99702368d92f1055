//! Cards that are given back: what the law says of each top-up goes back to where it came from, or by hand.

use std::time::Duration;

use kernel::ids::MemberId;
use prost::Message;
use proto::{
    access::Role,
    payment::v1::{
        self as pb, RefundCause, card::State, order::State as OrderState, payment::Purpose,
        payout_service_client::PayoutServiceClient, refund_law_quote::ground::Kind as GroundKind,
    },
};
use tonic::{Code, Status};

use super::desk::{Desk, figures, reason};
use crate::wire::{cny, fresh, minor, refused};

const DAY: Duration = Duration::from_secs(86_400);
const WISH: RefundCause = RefundCause::ConsumerWish;

fn ask(card: &str, cause: RefundCause) -> pb::RefundCardRequest {
    let request_id = fresh().to_string();
    pb::RefundCardRequest { card: card.to_owned(), cause: cause.into(), request_id, ..Default::default() }
}

async fn preview(desk: &Desk, card: &str, cause: RefundCause) -> pb::CardRefund {
    let request = pb::PreviewCardRefundRequest { card: card.to_owned(), cause: cause.into(), ..Default::default() };
    desk.client().preview_card_refund(desk.house.as_member(request)).await.expect("a quote").into_inner()
}

async fn try_refund(desk: &Desk, request: pb::RefundCardRequest) -> Result<pb::CardRefund, Status> {
    Ok(desk.client().refund_card(desk.ask(request)).await?.into_inner())
}

/// Gives a card back.
pub async fn refund(desk: &Desk, card: &str, cause: RefundCause) -> Result<pb::CardRefund, Status> {
    try_refund(desk, ask(card, cause)).await
}

/// A payout that is handed over in cash.
async fn hand_over(desk: &Desk, payout: &str) -> pb::Payout {
    let method = pb::payout::Method::Cash.into();
    let (name, request_id) = (payout.to_owned(), fresh().to_string());
    let request = pb::MakePayoutRequest { name, method, reference: String::new(), request_id };
    let mut client = PayoutServiceClient::new(desk.house.channel.clone());
    client.make_payout(desk.house.as_desk(request)).await.expect("paid").into_inner()
}

async fn audited(desk: &Desk) {
    desk.check().await;
    let findings = payment::flows::audit::audit(&desk.house.db.pg, |_| {}).await.expect("looked");
    // A desk takes cards without a payment.
    for finding in findings.into_iter().filter(|finding| finding.invariant.name != "payment.booked") {
        assert!(finding.breaches.is_empty(), "{finding:?}");
    }
}

/// A card with 3,000 yuan, paid at the provider, and 1,000 of bonus, of which 1,600 are spent.
async fn checked_case(order: &str) -> (Desk, String) {
    let desk = Desk::spending(order).await;
    desk.campaign(desk.offer(300_000, 100_000)).await;
    let card = desk.card().await;
    let top_up = desk.begin(&card, 300_000).await.expect("an order").name;
    let payment = desk.house.start(&top_up, Purpose::Balance).await;
    desk.house.succeed(&payment).await;
    desk.pay(&card, 160_000).await;
    (desk, card)
}

fn quote(of: &pb::card_refund::TopUp) -> &pb::RefundLawQuote {
    of.quote.as_ref().expect("a quote")
}

#[tokio::test]
async fn the_consumer_pays_the_list_price_and_the_merchant_the_share() {
    let cases =
        [("bonus_first", 140_000, 180_000), ("proportional", 140_000, 180_000), ("principal_first", 140_000, 180_000)];
    for (order, of_wish, of_breach) in cases {
        for (cause, expected) in [(WISH, of_wish), (RefundCause::MerchantBreach, of_breach)] {
            let (desk, card) = checked_case(order).await;
            desk.house.clock.advance(20 * DAY);
            let told = preview(&desk, &card, cause).await;
            assert_eq!(minor(&told.refund), expected, "{order}");
            let wrong = pb::RefundCardRequest { expected: cny(expected + 1), ..ask(&card, cause) };
            assert_eq!(refused(try_refund(&desk, wrong).await).1, "REFUND_CHANGED");
            let request = pb::RefundCardRequest { expected: cny(expected), ..ask(&card, cause) };
            let done = try_refund(&desk, request.clone()).await.expect("given back");
            assert_eq!(done.top_ups[0].quote, told.top_ups[0].quote);
            let again = try_refund(&desk, request).await.expect("the same");
            assert_eq!(again.encode_to_vec(), done.encode_to_vec());
            while desk.house.send_refunds().await > 0 {}
            let after = desk.get(&card).await;
            assert_eq!((after.state(), minor(&after.principal), minor(&after.bonus)), (State::Closed, 0, 0));
            assert_eq!(after.reason, "CARD_REFUNDED");
            let top_up = desk.house.get(&done.top_ups[0].order).await;
            assert_eq!((top_up.state(), minor(&top_up.refunded)), (OrderState::Closed, expected));
            audited(&desk).await;
            assert_eq!(refused(refund(&desk, &card, WISH).await).1, "CARD_CLOSED");
            let stored: Vec<u8> = sqlx::query_scalar("select quote from card_refund_part")
                .fetch_one(desk.house.db.pg.pool())
                .await
                .expect("the quote");
            assert_eq!(pb::RefundLawQuote::decode(stored.as_slice()).expect("a quote"), *quote(&done.top_ups[0]));
        }
    }
}

#[tokio::test]
async fn within_seven_days_it_goes_back_without_a_reason_unless_the_service_was_known() {
    let (desk, card) = checked_case("proportional").await;
    desk.house.clock.advance(2 * DAY);
    let ground = |of: &pb::CardRefund| quote(&of.top_ups[0]).ground.clone().unwrap_or_default().kind();
    let told = preview(&desk, &card, WISH).await;
    // What was had within the seven days counts at the share that the bonus makes.
    assert_eq!((ground(&told), minor(&told.refund)), (GroundKind::CoolingOff, 180_000));
    let elsewhere = pb::PreviewCardRefundRequest { card: card.clone(), cause: WISH.into(), known_elsewhere: true };
    let told = desk.client().preview_card_refund(desk.house.as_member(elsewhere)).await.expect("a quote").into_inner();
    assert_eq!((ground(&told), minor(&told.refund)), (GroundKind::Consent, 140_000));

    let visited = Desk::open().await;
    let before = visited.house.order_of(100, 0).await;
    visited.house.cash(&before, Purpose::Balance).await;
    let card = visited.card().await;
    visited.top_up(&card, 1_000).await;
    assert_eq!(ground(&preview(&visited, &card, WISH).await), GroundKind::Consent, "he knew it");
}

#[tokio::test]
async fn each_top_up_is_a_contract_of_its_own_and_what_comes_back_later_is_given_back_by_hand() {
    let desk = Desk::open().await;
    let card = desk.card().await;
    let orders = [desk.top_up(&card, 1_000).await, desk.top_up(&card, 500).await];
    let (_, spending) = desk.pay(&card, 1_200).await;
    desk.house.clock.advance(20 * DAY);
    let held = desk.bill(100).await;
    desk.hold(&card, held).await.expect("set aside");
    assert_eq!(refused(refund(&desk, &card, WISH).await).1, "CARD_IN_USE");
    desk.void(held.id).await.expect("released");
    let done = refund(&desk, &card, WISH).await.expect("given back");
    let given = |of: &pb::CardRefund| -> Vec<_> {
        of.top_ups.iter().map(|of| (of.order.clone(), minor(&of.to_sources), minor(&of.at_desk))).collect()
    };
    assert_eq!(given(&done), [(orders[1].clone(), 300, 0)], "of the first nothing is left");
    audited(&desk).await;
    assert_eq!(reason(desk.hold(&card, desk.bill(1).await).await), "CARD_CLOSED");

    // What comes back afterwards makes it a card again: to the second top-up 200, to the first 100.
    desk.give_back(spending, 300).await.expect("back");
    assert_eq!((desk.get(&card).await.state(), desk.balance(&card).await), (State::Active, (300, 0)));
    let keep = pb::RefundCardRequest { keep_card: true, ..ask(&card, WISH) };
    let done = try_refund(&desk, keep).await.expect("given back");
    assert_eq!(given(&done), [(orders[0].clone(), 100, 0), (orders[1].clone(), 0, 200)]);
    assert_eq!((minor(&done.top_ups[1].before), desk.get(&card).await.state()), (300, State::Active));
    let paid = hand_over(&desk, &done.top_ups[1].payout).await;
    assert_eq!((paid.state(), minor(&paid.amount)), (pb::payout::State::Paid, 200));
    assert_eq!(figures(&desk.lots(&card).await[0].principal), [500, 0, 0, 0, 500, 0]);
    audited(&desk).await;
}

#[tokio::test]
async fn what_the_provider_takes_back_no_more_is_paid_out_by_hand() {
    let (desk, card) = checked_case("proportional").await;
    desk.top_up(&card, 1_000).await;
    desk.house.clock.advance(366 * DAY);
    let done = refund(&desk, &card, WISH).await.expect("given back");
    let ways: Vec<_> = done.top_ups.iter().map(|of| (minor(&of.to_sources), minor(&of.at_desk))).collect();
    assert_eq!(ways, [(0, 140_000), (1_000, 0)], "the desk takes back what the desk has taken");
    assert_eq!(desk.house.send_refunds().await, 0);
    assert_eq!(desk.house.balances().await["refunds_payable"], -140_000);
    audited(&desk).await;
    let payout = hand_over(&desk, &done.top_ups[0].payout).await;
    assert_eq!((payout.payee, payout.order), (desk.house.member.name(), done.top_ups[0].order.clone()));
    assert_eq!(desk.house.balances().await["refunds_payable"], 0);
    audited(&desk).await;
}

#[tokio::test]
async fn what_was_given_away_goes_back_to_whose_it_is() {
    let desk = Desk::open().await;
    let card = desk.card().await;
    desk.top_up(&card, 1_000).await;
    let heir = MemberId::from_uuid(fresh());
    let request = pb::TransferCardRequest { name: card.clone(), holder: heir.name(), request_id: fresh().to_string() };
    desk.client().transfer_card(desk.house.as_member(request)).await.expect("given away");
    desk.top_up(&card, 500).await;
    let done = refund(&desk, &card, WISH).await.expect("given back");
    let ways: Vec<_> = done.top_ups.iter().map(|of| (minor(&of.to_sources), minor(&of.at_desk))).collect();
    assert_eq!(ways, [(0, 1_000), (500, 0)]);
    assert_eq!(hand_over(&desk, &done.top_ups[0].payout).await.payee, heir.name());
    audited(&desk).await;
    assert_eq!(desk.house.books().await, []);
}

#[tokio::test]
async fn what_can_not_be_given_back_is_refused_and_changes_nothing() {
    let desk = Desk::open().await;
    let card = desk.card().await;
    let order = desk.top_up(&card, 1_000).await;
    let close = desk.house.as_booking(crate::wire::close(&order, Some(400)));
    let answer = refused(desk.house.client.clone().close_order(close).await);
    assert_eq!(answer, (Code::FailedPrecondition, "TOP_UP_PAID".to_owned()));
    let freeze =
        pb::FreezeCardRequest { name: card.clone(), reason: "DISPUTE".to_owned(), request_id: fresh().to_string() };
    desk.client().freeze_card(desk.ask(freeze)).await.expect("frozen");
    assert_eq!(refused(refund(&desk, &card, WISH).await).1, "CARD_FROZEN");
    let found = pb::UnfreezeCardRequest { name: card.clone(), request_id: fresh().to_string() };
    desk.client().unfreeze_card(desk.ask(found)).await.expect("free");

    let before = (desk.get(&card).await, desk.house.books().await);
    assert_eq!(refused(refund(&desk, &card, RefundCause::Unspecified).await).0, Code::InvalidArgument);
    assert_eq!(refused(refund(&desk, &card, RefundCause::MerchantCannotServe).await).0, Code::InvalidArgument);
    assert_eq!(refused(refund(&desk, "cards/x", WISH).await).0, Code::InvalidArgument);
    let unknown = format!("cards/{}", fresh());
    assert_eq!(refused(refund(&desk, &unknown, WISH).await).0, Code::NotFound);
    let elsewhere = Some(kernel::ids::StoreId::from_uuid(fresh()));
    let there = desk.house.as_staff(ask(&card, WISH), Role::StoreManager, elsewhere);
    assert_eq!(refused(desk.client().refund_card(there).await).1, "CARD_OF_OTHER_STORE");
    let dollars = pb::RefundCardRequest { expected: crate::wire::usd(1_000), ..ask(&card, WISH) };
    assert_eq!(refused(try_refund(&desk, dollars).await).1, "REFUND_CHANGED");
    assert_eq!((desk.get(&card).await, desk.house.books().await), before);
    assert_eq!(desk.house.count("select count(*) from card_refund").await, 0);

    // One with nothing on it ends all the same.
    let empty = desk.card().await;
    let done = refund(&desk, &empty, WISH).await.expect("ended");
    assert_eq!((done.top_ups.len(), desk.get(&empty).await.state()), (0, State::Closed));
}
