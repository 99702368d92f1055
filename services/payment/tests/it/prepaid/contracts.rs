//! A contract is sold, read, and ends with its order.

use kernel::ids::MemberId;
use prost::Message;
use proto::payment::v1::{
    self as pb,
    contract::State,
    order::State as OrderState,
    payment::{Purpose, Tender},
    refund_law_contract::{KnownService, Terms, terms::Delivered},
};
use testkit::with_token;
use tonic::Code;
use tonic_types::StatusExt;

use super::shop::{Shop, item, ten, year};
use crate::wire::{close, cny, fresh, minor, pay, refused, usd};

#[tokio::test]
async fn a_contract_is_a_draft_until_all_of_it_is_paid() {
    let shop = Shop::open().await;
    let request = shop.new_contract(ten());
    let draft = shop.try_create(request.clone()).await.expect("a contract");
    assert_eq!((draft.state(), draft.start_date, draft.version), (State::Draft, None, 1));
    let again = shop.try_create(request.clone()).await.expect("the same");
    assert_eq!(again.encode_to_vec(), draft.encode_to_vec());
    let twin = pb::CreateContractRequest { request_id: fresh().to_string(), ..request.clone() };
    assert_eq!(shop.try_create(twin.clone()).await.expect("the same content"), draft);
    let other = pb::CreateContractRequest { terms: Some(year()), ..twin };
    assert_eq!(refused(shop.try_create(other).await).0, Code::InvalidArgument, "the request id was used");
    let other = pb::CreateContractRequest { terms: Some(year()), request_id: fresh().to_string(), ..request };
    assert_eq!(refused(shop.try_create(other).await), (Code::AlreadyExists, "CONTRACT_EXISTS".to_owned()));

    let unpaid = refused(shop.try_reserve(shop.new_use(&draft.name, "items/massage")).await);
    assert_eq!(unpaid, (Code::FailedPrecondition, "CONTRACT_NOT_USABLE".to_owned()));
    let order = shop.house.get(&draft.order).await;
    assert_eq!((order.subject, minor(&order.total)), (draft.name.clone(), 300_000));

    shop.house.cash(&draft.order, Purpose::Balance).await;
    let active = shop.get(&draft.name).await;
    let date = |year, month, day| Some(proto::google::r#type::Date { year, month, day });
    assert_eq!(
        (active.state(), active.start_date, active.end_date),
        (State::Active, date(2027, 3, 1), date(2027, 8, 27))
    );
    assert_eq!((active.used.as_slice(), active.reserved.as_slice()), ([0].as_slice(), [0].as_slice()));
    assert_eq!(active.terms, draft.terms);
    let books = [("cash_drawer".to_owned(), 300_000), ("prepaid_liability".to_owned(), -300_000)];
    assert_eq!(shop.house.books().await, books, "nothing is earned");
    assert_eq!(shop.changes(&draft.name).await, ["created", "activated"]);
}

#[tokio::test]
async fn whatever_is_agreed_reads_back() {
    let shop = Shop::open().await;
    let refund_terms = Terms {
        cooling_off_days: 30,
        cooling_off_for_known_service: true,
        delivered: Some(Delivered::ShareOfListPpm(900_000)),
        interest_rate_ppm: Some(40_000),
        interest_from: pb::refund_law_contract::terms::InterestFrom::Payment.into(),
    };
    let terms = pb::ContractTerms {
        items: vec![item("items/a", 3, 1, 100), item("items/b", 2, 0, 300)],
        price: cny(1_000),
        days: 0,
        max_freeze_days: 7,
        known_service: KnownService::FromThisMerchant.into(),
        refund_terms: Some(refund_terms),
    };
    let contract = shop.sell(terms.clone()).await;
    assert_eq!((contract.terms, contract.end_date), (Some(terms), None));
}

#[tokio::test]
async fn terms_that_make_no_sense_are_refused_by_field() {
    let shop = Shop::open().await;
    let with = |change: fn(&mut pb::ContractTerms)| {
        let mut terms = ten();
        change(&mut terms);
        terms
    };
    let known = |terms: &mut pb::ContractTerms| {
        let delivered = Some(Delivered::Amount(cny(5).expect("given")));
        terms.refund_terms = Some(Terms { delivered, ..Terms::default() });
    };
    let cases = [
        (with(|terms| terms.price = None), "terms.price"),
        (with(|terms| terms.price = cny(0)), "terms.price"),
        (with(|terms| terms.price = cny(-1)), "terms.price"),
        (with(|terms| terms.price = cny(400_001)), "terms.price"),
        (with(|terms| terms.price.as_mut().expect("given").nanos = 1_000_000), "terms.price.nanos"),
        (with(|terms| terms.price = usd(100)), "terms.items[0].list_price"),
        (with(|terms| terms.items.clear()).clone(), ""),
        (pb::ContractTerms { days: 0, ..year() }, "terms.days"),
        (with(|terms| terms.days = -1), "terms.days"),
        (with(|terms| terms.items[0].quantity = 0), "terms.items[0].quantity"),
        (with(|terms| terms.items[0].list_price = cny(-1)), "terms.items[0].list_price"),
        (with(|terms| terms.items[0].bonus_quantity = 991), "terms.items"),
        (with(|terms| terms.items.push(item("items/massage", 1, 0, 1))), "terms.items[1].item"),
        (with(known), "terms.refund_terms.amount"),
    ];
    for (terms, field) in cases {
        let answer = shop.try_create(shop.new_contract(terms)).await;
        if field.is_empty() {
            answer.expect("a time without sessions");
            continue;
        }
        let status = answer.expect_err(field);
        assert_eq!(status.code(), Code::InvalidArgument, "{field}: {status}");
        let fields = status.get_details_bad_request().map(|bad| bad.field_violations).unwrap_or_default();
        assert!(fields.iter().any(|found| found.field == field), "{field}: {fields:?}");
    }
    assert_eq!(shop.house.count("select count(*) from customer_order").await, 1);
}

#[tokio::test]
async fn an_order_that_ends_unpaid_takes_its_contract_along_and_a_paid_one_does_not() {
    let shop = Shop::open().await;
    let draft = shop.draft(ten()).await;
    shop.house.close(&draft.order, None).await;
    assert_eq!(shop.get(&draft.name).await.state(), State::Cancelled);
    assert_eq!(shop.changes(&draft.name).await, ["created", "cancelled"]);

    let active = shop.sell(ten()).await;
    let request = shop.house.as_booking(close(&active.order, None));
    let answer = refused(shop.house.client.clone().close_order(request).await);
    assert_eq!(answer, (Code::FailedPrecondition, "CONTRACT_PAID".to_owned()));
    assert_eq!(shop.house.get(&active.order).await.state(), OrderState::Paid);
    assert_eq!(shop.get(&active.name).await, active);
}

#[tokio::test]
async fn a_payment_that_comes_after_the_order_ended_goes_back() {
    let shop = Shop::open().await;
    let draft = shop.draft(ten()).await;
    let payment = pay(&draft.order, Purpose::Balance, Tender::Sandbox);
    let payment = shop.house.try_pay(payment).await.expect("a payment");
    shop.house.close(&draft.order, None).await;
    shop.house.succeed(&payment).await;
    shop.house.send_refunds().await;
    assert_eq!(shop.get(&draft.name).await.state(), State::Cancelled);
    assert_eq!(shop.house.books().await, []);
}

#[tokio::test]
async fn contracts_are_listed_for_whose_they_are() {
    let shop = Shop::open().await;
    let (first, second) = (shop.sell(ten()).await, shop.draft(year()).await);
    let list = |page_size, page_token: &str| pb::ListContractsRequest {
        page_size,
        page_token: page_token.to_owned(),
        ..pb::ListContractsRequest::default()
    };
    let mut client = shop.client.clone();
    let page = client.list_contracts(shop.house.as_member(list(1, ""))).await.expect("a page").into_inner();
    let rest = client.list_contracts(shop.house.as_member(list(1, &page.next_page_token))).await.expect("a page");
    let rest = rest.into_inner();
    let mut names = [page.contracts[0].name.clone(), rest.contracts[0].name.clone()];
    names.sort();
    let mut expected = [first.name.clone(), second.name];
    expected.sort();
    assert_eq!((names, rest.next_page_token.as_str()), (expected, ""));

    let stranger = testkit::keys().member_token(MemberId::from_uuid(fresh()));
    let none = client.list_contracts(with_token(list(0, ""), &stranger)).await.expect("a page").into_inner();
    assert!(none.contracts.is_empty());
    let get = pb::GetContractRequest { name: first.name };
    assert_eq!(client.get_contract(with_token(get, &stranger)).await.expect_err("hidden").code(), Code::NotFound);
}
