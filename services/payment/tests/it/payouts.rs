//! Money that goes back by hand: it is paid once, to whose it is, and the books follow.

use std::sync::Arc;

use kernel::ids::{MemberId, StoreId};
use prost::Message;
use proto::{
    access::Role,
    payment::v1::{
        self as pb,
        payout::{Method, State},
        payout_service_client::PayoutServiceClient,
    },
};
use tokio::task::JoinSet;
use tonic::{Code, Request, Status};

use crate::{
    drawer,
    prepaid::shop::{Shop, ten},
    wire::{fresh, minor, refusal, refused},
};

fn make(name: &str, method: Method, reference: &str) -> pb::MakePayoutRequest {
    let (name, reference, request_id) = (name.to_owned(), reference.to_owned(), fresh().to_string());
    pb::MakePayoutRequest { name, method: method.into(), reference, request_id }
}

async fn send(shop: &Shop, request: Request<pb::MakePayoutRequest>) -> Result<pb::Payout, Status> {
    let mut client = PayoutServiceClient::new(shop.house.channel.clone());
    Ok(client.make_payout(request).await?.into_inner())
}

async fn list(shop: &Shop, request: Request<pb::ListPayoutsRequest>) -> Result<Vec<pb::Payout>, Status> {
    let mut client = PayoutServiceClient::new(shop.house.channel.clone());
    Ok(client.list_payouts(request).await?.into_inner().payouts)
}

/// A contract of 3,000 yuan that was handed over and ended: all of it is its new holder's.
pub async fn due(shop: &Shop) -> (MemberId, String) {
    let contract = shop.sell(ten()).await.name;
    let heir = MemberId::from_uuid(fresh());
    shop.transfer(&contract, heir).await.expect("handed over");
    let done = shop.refund(&contract, pb::RefundCause::MerchantBreach).await.expect("ended");
    assert_eq!((minor(&done.to_sources), minor(&done.at_desk)), (0, 300_000));
    (heir, done.payout)
}

/// Hands a payout over in cash.
pub async fn hand_over(shop: &Shop, payout: &str) -> pb::Payout {
    send(shop, shop.house.as_desk(make(payout, Method::Cash, ""))).await.expect("paid")
}

#[tokio::test]
async fn what_is_handed_over_in_cash_comes_out_of_the_open_drawer() {
    let shop = Shop::open().await;
    let (_, payout) = due(&shop).await;
    drawer::require(&shop.house).await;
    let none_is_open = refused(send(&shop, shop.house.as_desk(make(&payout, Method::Cash, ""))).await);
    assert_eq!(none_is_open, (Code::FailedPrecondition, "DRAWER_NOT_OPEN".to_owned()));
    let open = drawer::open(&shop.house, "front", 400_000).await.expect("open");
    hand_over(&shop, &payout).await;
    let report = drawer::report(&shop.house, &open).await;
    let back = report.cash_refunds.expect("a sum");
    assert_eq!((back.count, minor(&back.amount)), (1, -300_000));
    let closed = drawer::close(&shop.house, drawer::closing(&open, 100_000, None)).await.expect("closed");
    assert_eq!((minor(&closed.expected), closed.difference_reason.as_str()), (100_000, ""));
}

#[tokio::test]
async fn a_payout_is_listed_to_whom_it_concerns_and_made_once() {
    let shop = Shop::open().await;
    let (heir, payout) = due(&shop).await;
    let everything = pb::ListPayoutsRequest::default;
    let known = list(&shop, shop.house.as_desk(everything())).await.expect("a page");
    assert_eq!((known.len(), known[0].name.as_str(), known[0].state()), (1, payout.as_str(), State::Due));
    assert_eq!((known[0].payee.as_str(), known[0].reason.as_str()), (heir.name().as_str(), "CONTRACT_REFUNDED"));
    assert_eq!(list(&shop, shop.house.as_member(everything())).await.expect("a page"), [], "not the buyer's");
    let paid_only = pb::ListPayoutsRequest { state: State::Paid.into(), ..everything() };
    assert_eq!(list(&shop, shop.house.as_desk(paid_only)).await.expect("a page"), []);

    let request = make(&payout, Method::BankTransfer, "20270301-7");
    let done = send(&shop, shop.house.as_desk(request.clone())).await.expect("paid");
    assert_eq!((done.state(), done.reference.as_str()), (State::Paid, "20270301-7"));
    let again = send(&shop, shop.house.as_desk(request)).await.expect("the same");
    assert_eq!(again.encode_to_vec(), done.encode_to_vec());
    let twice = refused(send(&shop, shop.house.as_desk(make(&payout, Method::Cash, ""))).await);
    assert_eq!(twice, (Code::FailedPrecondition, "PAYOUT_PAID".to_owned()));
    let books = [("bank".to_owned(), -300_000), ("cash_drawer".to_owned(), 300_000)];
    assert_eq!(shop.house.books().await, books);
}

#[tokio::test]
async fn bad_payouts_are_refused_and_change_nothing() {
    let shop = Shop::open().await;
    let (_, payout) = due(&shop).await;
    let before = shop.house.books().await;
    for (method, reference) in
        [(Method::Unspecified, ""), (Method::Cash, "7"), (Method::BankTransfer, ""), (Method::BankTransfer, " ")]
    {
        let answer = refused(send(&shop, shop.house.as_desk(make(&payout, method, reference))).await);
        assert_eq!(answer.0, Code::InvalidArgument, "{method:?} {reference:?}");
    }
    let unknown = make(&format!("payouts/{}", fresh()), Method::Cash, "");
    assert_eq!(refused(send(&shop, shop.house.as_desk(unknown)).await).0, Code::NotFound);
    let elsewhere = Some(StoreId::from_uuid(fresh()));
    let there = shop.house.as_staff(make(&payout, Method::Cash, ""), Role::FrontDesk, elsewhere);
    assert_eq!(refused(send(&shop, there).await).1, "OTHER_STORE");
    assert_eq!(shop.house.books().await, before);
    for sql in [
        "update payout set amount_minor = 1",
        "update payout set payee_id = id",
        "update payout set state = 'paid'",
        "delete from payout",
    ] {
        assert!(sqlx::query(sql).execute(shop.house.db.pg.pool()).await.is_err(), "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_pay_it_out_one_does() {
    let shop = Arc::new(Shop::open().await);
    for round in 0..4 {
        let (_, payout) = due(&shop).await;
        let mut calls = JoinSet::new();
        for _ in 0..8 {
            let (shop, payout) = (Arc::clone(&shop), payout.clone());
            calls.spawn(async move {
                let request = shop.house.as_desk(make(&payout, Method::Cash, ""));
                send(&shop, request).await.map_err(|status| refusal(&status).1)
            });
        }
        let (paid, refused): (Vec<_>, Vec<_>) = calls.join_all().await.into_iter().partition(Result::is_ok);
        assert_eq!((paid.len(), refused.len()), (1, 7), "round {round}");
        assert!(refused.into_iter().all(|answer| answer == Err("PAYOUT_PAID".to_owned())), "round {round}");
    }
    assert_eq!(shop.house.books().await, [], "what was paid in was paid out");
}
