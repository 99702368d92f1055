//! Contracts rest, are extended, are handed over, and run out.

use kernel::ids::MemberId;
use payment::worker::expire_contracts;
use proto::{
    google::r#type::Date,
    payment::v1::{self as pb, contract::State},
};
use testkit::with_token;
use tonic::Code;

use super::shop::{DAY, Shop, ten, year};
use crate::wire::{fresh, minor, refused};

fn date(year: i32, month: i32, day: i32) -> Option<Date> {
    Some(Date { year, month, day })
}

fn precondition(reason: &str) -> (Code, String) {
    (Code::FailedPrecondition, reason.to_owned())
}

#[tokio::test]
async fn a_rest_moves_the_end_and_stops_uses() {
    let shop = Shop::open().await;
    let contract = shop.sell(ten()).await.name;
    let frozen = shop.freeze(&contract, 10).await.expect("rests");
    assert_eq!((frozen.state(), frozen.end_date), (State::Frozen, date(2027, 9, 6)));
    let answer = refused(shop.try_reserve(shop.new_use(&contract, "items/massage")).await);
    assert_eq!(answer, precondition("CONTRACT_NOT_USABLE"));
    assert_eq!(refused(shop.freeze(&contract, 1).await), precondition("CONTRACT_FROZEN"));

    shop.house.clock.advance(4 * DAY);
    let awake = shop.unfreeze(&contract).await.expect("no longer rests");
    assert_eq!((awake.state(), awake.end_date), (State::Active, date(2027, 8, 31)));
    assert_eq!(awake.frozen.len(), 1);
    assert_eq!(awake.frozen[0].end_date, date(2027, 3, 4));
    assert_eq!(refused(shop.unfreeze(&contract).await), precondition("CONTRACT_NOT_FROZEN"));
    assert_eq!(refused(shop.freeze(&contract, 57).await), precondition("FREEZE_LIMIT"));
    let reserved = shop.reserve(&contract).await;
    assert_eq!(refused(shop.freeze(&contract, 5).await), precondition("USES_RESERVED"));
    shop.void(&reserved.name).await.expect("free");
    shop.freeze(&contract, 56).await.expect("rests");
    // A rest is over by itself.
    shop.house.clock.advance(56 * DAY);
    assert_eq!(shop.get(&contract).await.state(), State::Active);
    shop.have(&contract).await;
    let told = ["created", "activated", "frozen", "unfrozen", "frozen", "use_committed"];
    assert_eq!(shop.changes(&contract).await, told);
}

#[tokio::test]
async fn what_has_run_out_still_owes_its_sessions_until_they_lapse() {
    let shop = Shop::open().await;
    let contract = shop.sell(ten()).await.name;
    shop.have(&contract).await;
    shop.house.clock.advance(179 * DAY);
    assert_eq!(expire_contracts(&shop.house.app).await.expect("looked"), 0, "its last day");
    shop.house.clock.advance(DAY);
    assert_eq!(expire_contracts(&shop.house.app).await.expect("looked"), 1);
    assert_eq!(shop.get(&contract).await.state(), State::Expired);
    let answer = refused(shop.try_reserve(shop.new_use(&contract, "items/massage")).await);
    assert_eq!(answer, precondition("CONTRACT_NOT_USABLE"));
    assert_eq!(shop.house.balances().await["prepaid_liability"], -270_000);

    let longer = shop.extend(&contract, 30).await.expect("longer");
    assert_eq!((longer.state(), longer.end_date), (State::Active, date(2027, 9, 26)));
    shop.have(&contract).await;
    shop.house.clock.advance(30 * DAY);
    assert_eq!(expire_contracts(&shop.house.app).await.expect("looked"), 1);
    shop.house.clock.advance(1_000 * DAY);
    assert_eq!(expire_contracts(&shop.house.app).await.expect("looked"), 0);
    shop.house.clock.advance(100 * DAY);
    assert_eq!(expire_contracts(&shop.house.app).await.expect("looked"), 1);
    assert_eq!(expire_contracts(&shop.house.app).await.expect("looked"), 0);
    let balances = shop.house.balances().await;
    assert_eq!((balances["prepaid_liability"], balances["breakage"], balances["takings"]), (0, -240_000, -60_000));
    assert_eq!(refused(shop.extend(&contract, 1).await), precondition("CONTRACT_LAPSED"));
    let told = ["activated", "use_committed", "expired", "extended", "use_committed", "expired", "lapsed"];
    assert_eq!(shop.changes(&contract).await[1..], told);

    // Who comes all the same gets by law what he gets, out of what was written off.
    let refund = shop.refund(&contract, pb::RefundCause::MerchantBreach).await.expect("refunded");
    assert_eq!(minor(&refund.to_sources), 240_000);
    let books = [("cash_drawer".to_owned(), 60_000), ("takings".to_owned(), -60_000)];
    assert_eq!(shop.house.books().await, books);
}

#[tokio::test]
async fn a_time_is_earned_by_the_day_and_not_while_it_rests() {
    let shop = Shop::open().await;
    let contract = shop.sell(year()).await.name;
    let visit = || shop.new_use(&contract, "items/anything");
    let one = shop.try_reserve(visit()).await.expect("a use");
    assert_eq!(minor(&one.value), 0);
    shop.commit(&one.name).await.expect("had");
    assert_eq!(minor(&shop.get(&contract).await.recognised), 1_000, "today");
    shop.house.clock.advance(9 * DAY);
    let frozen = shop.freeze(&contract, 20).await.expect("rests");
    assert_eq!(minor(&frozen.recognised), 9_000, "what was before the rest");
    shop.house.clock.advance(20 * DAY);
    let one = shop.try_reserve(visit()).await.expect("a use");
    shop.commit(&one.name).await.expect("had");
    assert_eq!(minor(&shop.get(&contract).await.recognised), 10_000);
    shop.house.clock.advance(400 * DAY);
    assert_eq!(expire_contracts(&shop.house.app).await.expect("looked"), 1);
    assert_eq!(minor(&shop.get(&contract).await.recognised), 365_000);
    let books = [("cash_drawer".to_owned(), 365_000), ("takings".to_owned(), -365_000)];
    assert_eq!(shop.house.books().await, books);
}

#[tokio::test]
async fn whoever_gets_a_contract_has_all_of_it() {
    let shop = Shop::open().await;
    let contract = shop.sell(ten()).await.name;
    let heir = MemberId::from_uuid(fresh());
    assert_eq!(refused(shop.transfer(&contract, shop.house.member).await).0, Code::InvalidArgument);
    let handed = shop.transfer(&contract, heir).await.expect("handed over");
    assert_eq!(handed.holder, heir.name());
    // Who had it no longer sees it.
    assert_eq!(refused(shop.freeze(&contract, 1).await).0, Code::NotFound);
    let token = testkit::keys().member_token(heir);
    let get = with_token(pb::GetContractRequest { name: contract.clone() }, &token);
    assert_eq!(shop.client.clone().get_contract(get).await.expect("his").into_inner(), handed);
    let one = shop.reserve(&contract).await;
    shop.commit(&one.name).await.expect("had");
}
