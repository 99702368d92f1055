//! Cards are issued, found, lost, stopped, replaced and given away.

use kernel::ids::{MemberId, StoreId};
use payment::domain::stored_value::is_number;
use proto::{
    access::Role,
    payment::v1::{self as pb, card::State},
};
use tonic::{Code, Status};

use super::desk::{Desk, reason};
use crate::wire::{fresh, minor, refusal, refused};

fn once() -> String {
    fresh().to_string()
}

async fn lost(desk: &Desk, card: &str) -> Result<pb::Card, Status> {
    let request = pb::ReportCardLostRequest { name: card.to_owned(), request_id: once() };
    Ok(desk.client().report_card_lost(desk.house.as_member(request)).await?.into_inner())
}

async fn reissue(desk: &Desk, card: &str) -> Result<pb::Card, Status> {
    let request = pb::ReissueCardRequest { name: card.to_owned(), request_id: once() };
    Ok(desk.client().reissue_card(desk.ask(request)).await?.into_inner())
}

async fn unfreeze(desk: &Desk, card: &str) -> Result<pb::Card, Status> {
    let request = pb::UnfreezeCardRequest { name: card.to_owned(), request_id: once() };
    Ok(desk.client().unfreeze_card(desk.ask(request)).await?.into_inner())
}

async fn transfer(desk: &Desk, card: &str, to: MemberId) -> Result<pb::Card, Status> {
    let request = pb::TransferCardRequest { name: card.to_owned(), holder: to.name(), request_id: once() };
    Ok(desk.client().transfer_card(desk.ask(request)).await?.into_inner())
}

#[tokio::test]
async fn a_card_is_issued_and_found() {
    let desk = Desk::open().await;
    let (mine, wish) = (desk.card().await, desk.wish(None));
    let theirs = desk.issue(wish.clone()).await;
    assert_eq!(desk.issue(wish.clone()).await, theirs, "the same request makes no other card");
    assert!(is_number(&theirs.number) && theirs.holder.is_empty());
    let list = async |request: pb::ListCardsRequest, member: bool| {
        let request = if member { desk.house.as_member(request) } else { desk.house.as_desk(request) };
        let page = desk.client().list_cards(request).await?.into_inner();
        Ok::<Vec<String>, Status>(page.cards.into_iter().map(|card| card.name).collect())
    };
    let all = pb::ListCardsRequest::default();
    assert_eq!(list(all.clone(), false).await.expect("cards"), [theirs.name.clone(), mine.clone()]);
    assert_eq!(list(all.clone(), true).await.expect("cards"), std::slice::from_ref(&mine));
    let by_number = pb::ListCardsRequest { number: theirs.number.clone(), ..all.clone() };
    assert_eq!(list(by_number, false).await.expect("cards"), std::slice::from_ref(&theirs.name));
    let misread = pb::ListCardsRequest { number: "1234567812345678".to_owned(), ..all.clone() };
    assert_eq!(refused(list(misread, false).await).0, Code::InvalidArgument);
    lost(&desk, &mine).await.expect("lost");
    let stopped = pb::ListCardsRequest { state: State::Lost.into(), ..all };
    assert_eq!(list(stopped, false).await.expect("cards"), std::slice::from_ref(&mine));

    let get = pb::GetCardRequest { name: theirs.name };
    assert_eq!(refused(desk.client().get_card(desk.house.as_member(get)).await).0, Code::NotFound);
    desk.check().await;
}

#[tokio::test]
async fn a_card_of_one_store_is_nobody_elses() {
    let desk = Desk::open().await;
    let wish = pb::IssueCardRequest { scope: pb::card::Scope::Store.into(), ..desk.wish(Some(desk.house.member)) };
    let card = desk.issue(wish).await.name;
    desk.top_up(&card, 1_000).await;
    let elsewhere = StoreId::from_uuid(fresh());
    let there = desk.house.as_staff(pb::GetCardRequest { name: card.clone() }, Role::FrontDesk, Some(elsewhere));
    assert_eq!(refused(desk.client().get_card(there).await).1, "OTHER_STORE");
    let mut of = desk.bill(100).await;
    of.store = elsewhere;
    assert_eq!(reason(desk.hold(&card, of).await), "CARD_OF_OTHER_STORE");
    let list = pb::ListCardsRequest::default();
    let there = desk.house.as_staff(list, Role::FrontDesk, Some(elsewhere));
    assert!(desk.client().list_cards(there).await.expect("a page").into_inner().cards.is_empty());
}

#[tokio::test]
async fn a_lost_card_pays_nothing_and_all_that_is_on_it_moves_to_a_new_one() {
    let desk = Desk::open().await;
    desk.campaign(desk.offer(10_000, 2_000)).await;
    let card = desk.card().await;
    desk.top_up(&card, 10_000).await;
    let ((money, bonus), spending) = desk.pay(&card, 3_000).await;
    assert_eq!((money, bonus), (2_500, 500));
    assert_eq!(refused(reissue(&desk, &card).await), (Code::FailedPrecondition, "CARD_NOT_STOPPED".to_owned()));

    assert_eq!(lost(&desk, &card).await.expect("lost").state(), State::Lost);
    assert_eq!(lost(&desk, &card).await.expect("still").version, desk.get(&card).await.version, "no news");
    assert_eq!(reason(desk.hold(&card, desk.bill(100).await).await), "CARD_LOST");
    assert_eq!(refused(desk.begin(&card, 100).await).1, "CARD_LOST");
    let new = reissue(&desk, &card).await.expect("a new card");
    assert_eq!((new.state(), minor(&new.principal), minor(&new.bonus)), (State::Active, 7_500, 1_500));
    assert_eq!(new.holder, desk.house.member.name());
    let old = desk.get(&card).await;
    assert_eq!((old.state(), old.replaced_by, minor(&old.principal)), (State::Closed, new.name.clone(), 0));
    assert_ne!(old.number, new.number);
    desk.check().await;

    // What was paid with the old card comes back to the lots, which are on the new one now.
    assert_eq!(super::desk::minors(desk.give_back(spending, 3_000).await.expect("back")), (2_500, 500));
    assert_eq!(desk.balance(&new.name).await, (10_000, 2_000));
    for refusal in [lost(&desk, &card).await, unfreeze(&desk, &card).await, reissue(&desk, &card).await] {
        assert_eq!(refused(refusal).1, "CARD_CLOSED");
    }
    desk.check().await;
}

#[tokio::test]
async fn money_that_was_under_way_to_a_card_that_was_replaced_arrives() {
    let desk = Desk::open().await;
    desk.campaign(desk.offer(1_000, 100)).await;
    let card = desk.card().await;
    let order = desk.begin(&card, 1_000).await.expect("an order").name;
    lost(&desk, &card).await.expect("lost");
    let new = reissue(&desk, &card).await.expect("a new card").name;
    desk.house.cash(&order, pb::payment::Purpose::Balance).await;
    assert_eq!((desk.balance(&new).await, desk.balance(&card).await), ((1_000, 100), (0, 0)));
    desk.check().await;
    // And if it is given back, it goes from there.
    super::refunds::refund(&desk, &new, pb::RefundCause::ConsumerWish).await.expect("given back");
    assert_eq!(desk.balance(&new).await, (0, 0));
    desk.check().await;
    assert_eq!(desk.house.books().await, [], "nothing is left of it");
}

#[tokio::test]
async fn a_frozen_card_lets_what_was_set_aside_be_spent() {
    let desk = Desk::open().await;
    let card = desk.card().await;
    desk.top_up(&card, 1_000).await;
    let of = desk.bill(400).await;
    desk.hold(&card, of).await.expect("set aside");
    let freeze = pb::FreezeCardRequest { name: card.clone(), reason: "SUSPECTED_FRAUD".to_owned(), request_id: once() };
    let frozen = desk.client().freeze_card(desk.ask(freeze)).await.expect("frozen").into_inner();
    assert_eq!(
        (frozen.state(), frozen.reason.as_str(), minor(&frozen.available)),
        (State::Frozen, "SUSPECTED_FRAUD", 0)
    );
    assert_eq!(reason(desk.hold(&card, desk.bill(1).await).await), "CARD_FROZEN");
    assert_eq!(refused(reissue(&desk, &card).await).1, "CARD_IN_USE");
    desk.commit(of.id).await.expect("spent");
    let free = unfreeze(&desk, &card).await.expect("free");
    assert_eq!((free.state(), minor(&free.available)), (State::Active, 600));
    desk.check().await;
}

#[tokio::test]
async fn a_card_is_given_to_somebody_else() {
    let desk = Desk::open().await;
    let (card, other) = (desk.card().await, MemberId::from_uuid(fresh()));
    desk.top_up(&card, 1_000).await;
    let of = desk.bill(100).await;
    desk.hold(&card, of).await.expect("set aside");
    assert_eq!(refused(transfer(&desk, &card, other).await).1, "CARD_IN_USE");
    desk.void(of.id).await.expect("released");
    let request = pb::TransferCardRequest { name: card.clone(), holder: other.name(), request_id: once() };
    let mine = |request: &pb::TransferCardRequest| desk.house.as_member(request.clone());
    let given = desk.client().transfer_card(mine(&request)).await.expect("given").into_inner();
    assert_eq!(given.holder, other.name());
    let again = desk.client().transfer_card(mine(&request)).await.expect("the same answer").into_inner();
    assert_eq!(again, given, "although the card is no longer his");
    let get = pb::GetCardRequest { name: card.clone() };
    assert_eq!(refused(desk.client().get_card(desk.house.as_member(get)).await).0, Code::NotFound);
    let mut of = desk.bill(100).await;
    of.shown = false;
    assert_eq!(reason(desk.hold(&card, of).await), "NOT_THE_HOLDER");
    desk.check().await;
}

#[tokio::test]
async fn a_card_without_a_holder_is_whosever_shows_it() {
    let desk = Desk::open().await;
    let card = desk.issue(desk.wish(None)).await.name;
    desk.top_up(&card, 1_000).await;
    let unseen = desk.house.as_member(pb::ReportCardLostRequest { name: card.clone(), request_id: once() });
    let answer = desk.client().report_card_lost(unseen).await.expect_err("hidden");
    assert_eq!(refusal(&answer).0, Code::NotFound);
    let request = pb::ReportCardLostRequest { name: card.clone(), request_id: once() };
    assert_eq!(refused(desk.client().report_card_lost(desk.ask(request)).await).1, "CARD_WITHOUT_HOLDER");
    let mut of = desk.bill(100).await;
    of.shown = false;
    assert_eq!(reason(desk.hold(&card, of).await), "CARD_NOT_SHOWN");
    of.shown = true;
    desk.hold(&card, of).await.expect("shown");
    desk.void(of.id).await.expect("released");
    let named = transfer(&desk, &card, desk.house.member).await.expect("named");
    assert_eq!(named.holder, desk.house.member.name());
    desk.check().await;
}
