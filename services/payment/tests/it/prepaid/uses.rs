//! Sessions are set aside, had, given back; what was paid is earned with them to the last fen.

use kernel::ids::StoreId;
use prost::Message;
use proto::payment::v1::{self as pb, contract::State, contract_use::State as UseState};
use tonic::Code;

use super::shop::{Shop, item, ten};
use crate::wire::{cny, fresh, minor, refused};

/// Three sessions and one on top of 50 yuan each for 100.01 yuan.
fn four() -> pb::ContractTerms {
    pb::ContractTerms { price: cny(10_001), items: vec![item("items/massage", 3, 1, 5_000)], ..ten() }
}

#[tokio::test]
async fn each_use_earns_its_part_and_the_last_one_the_rest() {
    let shop = Shop::open().await;
    let contract = shop.sell(four()).await.name;
    let mut values = Vec::new();
    for _ in 0..4 {
        values.push(shop.have(&contract).await);
    }
    assert_eq!(values, [2_501, 2_500, 2_500, 2_500]);
    let after = shop.get(&contract).await;
    assert_eq!(
        (after.state(), after.used.as_slice(), minor(&after.recognised)),
        (State::UsedUp, [4].as_slice(), 10_001)
    );
    let books = [("cash_drawer".to_owned(), 10_001), ("takings".to_owned(), -10_001)];
    assert_eq!(shop.house.books().await, books);
    let told = ["created", "activated", "use_committed", "use_committed", "use_committed", "use_committed", "used_up"];
    assert_eq!(shop.changes(&contract).await, told);
    let answer = refused(shop.try_reserve(shop.new_use(&contract, "items/massage")).await);
    assert_eq!(answer, (Code::FailedPrecondition, "CONTRACT_NOT_USABLE".to_owned()));
}

#[tokio::test]
async fn a_use_is_reserved_once_and_decided_once() {
    let shop = Shop::open().await;
    let contract = shop.sell(four()).await.name;
    let request = shop.new_use(&contract, "items/massage");
    let one = shop.try_reserve(request.clone()).await.expect("a use");
    let again = shop.try_reserve(request.clone()).await.expect("the same");
    assert_eq!(one.encode_to_vec(), again.encode_to_vec());
    let twin = pb::ReserveUseRequest { request_id: fresh().to_string(), ..request.clone() };
    assert_eq!(shop.try_reserve(twin).await.expect("the same use"), one);
    let elsewhere =
        pb::ReserveUseRequest { store: StoreId::from_uuid(fresh()).name(), request_id: fresh().to_string(), ..request };
    assert_eq!(refused(shop.try_reserve(elsewhere).await), (Code::AlreadyExists, "USE_EXISTS".to_owned()));
    assert_eq!(shop.get(&contract).await.reserved, [1]);

    let had = shop.commit(&one.name).await.expect("had");
    assert_eq!(shop.commit(&one.name).await.expect("still had"), had);
    assert_eq!(refused(shop.void(&one.name).await), (Code::FailedPrecondition, "USE_COMMITTED".to_owned()));

    let other = shop.reserve(&contract).await;
    let free = shop.void(&other.name).await.expect("free");
    assert_eq!(free.state(), UseState::Voided);
    assert_eq!(shop.void(&other.name).await.expect("still free"), free);
    assert_eq!(refused(shop.commit(&other.name).await), (Code::FailedPrecondition, "USE_VOIDED".to_owned()));
    let after = shop.get(&contract).await;
    assert_eq!((after.used, after.reserved, minor(&after.recognised)), (vec![1], vec![0], 2_501));
    let unknown = format!("contractUses/{}", fresh());
    assert_eq!(refused(shop.commit(&unknown).await).0, Code::NotFound);
    assert_eq!(shop.house.balances().await["prepaid_liability"], -7_500);
}

#[tokio::test]
async fn no_more_is_set_aside_than_there_is_and_a_free_session_is_had_again() {
    let shop = Shop::open().await;
    let contract = shop.sell(four()).await.name;
    let mut uses = Vec::new();
    for _ in 0..4 {
        uses.push(shop.reserve(&contract).await);
    }
    let answer = refused(shop.try_reserve(shop.new_use(&contract, "items/massage")).await);
    assert_eq!(answer, (Code::FailedPrecondition, "NO_SESSION_LEFT".to_owned()));
    let answer = refused(shop.try_reserve(shop.new_use(&contract, "items/facial")).await);
    assert_eq!(answer.0, Code::InvalidArgument);
    shop.void(&uses[0].name).await.expect("free");
    let again = shop.reserve(&contract).await;
    assert_eq!(minor(&again.value), 2_501, "the same session");
    let free = uses.iter().skip(1).chain([&again]);
    for one in free {
        shop.commit(&one.name).await.expect("had");
    }
    assert_eq!(shop.house.balances().await["takings"], -10_001);
}

#[tokio::test]
async fn who_serves_earns_and_the_stores_owe_each_other() {
    let shop = Shop::open().await;
    let contract = shop.sell(four()).await.name;
    let there = StoreId::from_uuid(fresh());
    let request = pb::ReserveUseRequest { store: there.name(), ..shop.new_use(&contract, "items/massage") };
    let one = shop.try_reserve(request).await.expect("a use");
    shop.commit(&one.name).await.expect("had");
    let at = |store: StoreId| {
        sqlx::query_as::<_, (String, i64)>(
            "select account, sum(amount_minor)::bigint from ledger_entry where store_id = $1 group by account
             having sum(amount_minor) <> 0 order by account",
        )
        .bind(store.uuid())
        .fetch_all(shop.house.db.pg.pool())
    };
    let expected = [("store_clearing".to_owned(), 2_501), ("takings".to_owned(), -2_501)];
    assert_eq!(at(there).await.expect("entries"), expected);
    let expected = [
        ("cash_drawer".to_owned(), 10_001),
        ("prepaid_liability".to_owned(), -7_500),
        ("store_clearing".to_owned(), -2_501),
    ];
    assert_eq!(at(shop.house.store).await.expect("entries"), expected);
}

#[tokio::test]
async fn several_items_are_worth_what_their_list_prices_say() {
    let shop = Shop::open().await;
    let items = vec![item("items/massage", 2, 0, 30_000), item("items/facial", 1, 0, 40_000)];
    let contract = shop.sell(pb::ContractTerms { price: cny(80_000), items, ..ten() }).await.name;
    let facial = shop.try_reserve(shop.new_use(&contract, "items/facial")).await.expect("a use");
    assert_eq!(minor(&facial.value), 32_000);
    assert_eq!(shop.have(&contract).await, 24_000);
    shop.commit(&facial.name).await.expect("had");
    assert_eq!(shop.get(&contract).await.used, [1, 1]);
}
