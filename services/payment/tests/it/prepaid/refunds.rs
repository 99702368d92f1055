//! A contract is ended: what the law says goes back to where it was paid from, and its explanation is kept.

use prost::Message;
use proto::payment::v1::{
    self as pb,
    contract::State,
    order::State as OrderState,
    refund_law_contract::{Gift, Terms, gift::Claim, terms::Delivered, terms::InterestFrom},
    refund_law_quote::ground::Kind as GroundKind,
    refund_law_request::{
        Cost,
        cost::{Kind, Party},
    },
};
use tonic::Code;

use super::shop::{DAY, Shop, ten, year};
use crate::wire::{cny, fresh, minor, refused};

#[tokio::test]
async fn the_law_decides_and_the_books_follow() {
    let cases = [
        // Three of ten sessions for 3,000 at the discount price, and at the list price of 400.
        (pb::RefundCause::MerchantMoved, 210_000, -90_000, "法释〔2025〕4号第十八条第一款第一项"),
        (pb::RefundCause::ConsumerWish, 180_000, -120_000, "法释〔2025〕4号第十九条第一款"),
    ];
    for (cause, refund, takings, article) in cases {
        let shop = Shop::open().await;
        let contract = shop.sell_online(ten()).await;
        for _ in 0..3 {
            shop.have(&contract.name).await;
        }
        shop.house.clock.advance(30 * DAY);
        let preview = shop.preview(&contract.name, cause).await.expect("a preview");
        let done = shop.refund(&contract.name, cause).await.expect("refunded");
        assert_eq!((minor(&done.to_sources), minor(&done.beyond_sources)), (refund, 0));
        assert_eq!((&done.quote, preview.create_time), (&preview.quote, None));
        let quote = done.quote.expect("a quote");
        let articles: Vec<&str> =
            quote.lines.iter().filter_map(|line| Some(line.provision.as_ref()?.reference.as_str())).collect();
        assert!(articles.contains(&article), "{articles:?}");

        assert_eq!(shop.get(&contract.name).await.state(), State::Refunded);
        let order = shop.house.get(&contract.order).await;
        assert_eq!((order.state(), minor(&order.refunds[0].amount)), (OrderState::Closed, refund));
        shop.house.send_refunds().await;
        let books = [("provider_receivable".to_owned(), -takings), ("takings".to_owned(), takings)];
        assert_eq!(shop.house.books().await, books);
        assert_eq!(shop.house.count("select sum(amount_minor)::bigint from sandbox.refund").await, refund);

        let stored: Vec<u8> = sqlx::query_scalar("select quote from prepaid_refund")
            .fetch_one(shop.house.db.pg.pool())
            .await
            .expect("the quote");
        assert_eq!(pb::RefundLawQuote::decode(stored.as_slice()).expect("a quote"), quote);
        let again = refused(shop.refund(&contract.name, cause).await);
        assert_eq!(again, (Code::FailedPrecondition, "CONTRACT_NOT_REFUNDABLE".to_owned()));
        assert_eq!(shop.changes(&contract.name).await.last().map(String::as_str), Some("refunded"));
    }
}

#[tokio::test]
async fn within_seven_days_all_goes_back_and_on_the_eighth_by_consent() {
    let shop = Shop::open().await;
    let contract = shop.sell(ten()).await.name;
    shop.have(&contract).await;
    shop.house.clock.advance(7 * DAY);
    let ground = |refund: &pb::ContractRefund| {
        let quote = refund.quote.clone().unwrap_or_default();
        (quote.ground.unwrap_or_default().kind(), minor(&quote.refund))
    };
    let last_day = shop.preview(&contract, pb::RefundCause::ConsumerWish).await.expect("a preview");
    assert_eq!(ground(&last_day), (GroundKind::CoolingOff, 270_000));
    shop.house.clock.advance(DAY);
    let after = shop.preview(&contract, pb::RefundCause::ConsumerWish).await.expect("a preview");
    assert_eq!(ground(&after), (GroundKind::Consent, 260_000));
}

#[tokio::test]
async fn terms_that_are_better_for_the_consumer_win() {
    let shop = Shop::open().await;
    let at_discount = Terms { delivered: Some(Delivered::AtDiscountPrice(true)), ..Terms::default() };
    let interest = Terms {
        interest_rate_ppm: Some(36_000),
        interest_from: InterestFrom::Payment.into(),
        cooling_off_days: 100,
        ..Terms::default()
    };
    let with = |refund_terms: Terms| pb::ContractTerms { refund_terms: Some(refund_terms), ..ten() };
    let (first, second) = (shop.sell(with(at_discount)).await.name, shop.sell(with(interest)).await.name);
    shop.have(&first).await;
    shop.house.clock.advance(20 * DAY);
    let refund = shop.refund(&first, pb::RefundCause::ConsumerWish).await.expect("refunded");
    assert_eq!(minor(&refund.to_sources), 270_000);

    // 20 days of 3.6 % on 3,000 are 6 yuan: more than was ever paid, and owed beside it.
    let refund = shop.refund(&second, pb::RefundCause::ConsumerWish).await.expect("refunded");
    assert_eq!((minor(&refund.to_sources), minor(&refund.beyond_sources)), (300_000, 600));
    let balances = shop.house.balances().await;
    assert_eq!((balances["refunds_payable"], balances["prepaid_liability"]), (-600, 0));
    crate::payouts::hand_over(&shop, &refund.payout).await;
    assert_eq!(shop.house.balances().await["refunds_payable"], 0, "interest is paid out");
}

#[tokio::test]
async fn a_time_goes_back_by_the_days_that_are_left() {
    let shop = Shop::open().await;
    let contract = shop.sell(year()).await.name;
    shop.house.clock.advance(30 * DAY);
    shop.freeze(&contract, 10).await.expect("rests");
    shop.house.clock.advance(20 * DAY);
    // 51 days have begun, of which 10 don't count.
    let refund = shop.refund(&contract, pb::RefundCause::ConsumerHealth).await.expect("refunded");
    assert_eq!(minor(&refund.to_sources), 365_000 - 41_000);
    let books = [("cash_drawer".to_owned(), 41_000), ("takings".to_owned(), -41_000)];
    assert_eq!(shop.house.books().await, books);
}

#[tokio::test]
async fn a_time_in_which_the_merchant_no_longer_served_goes_back() {
    let shop = Shop::open().await;
    let contract = shop.sell(year()).await.name;
    shop.house.clock.advance(30 * DAY);
    let preview = |name: &str, stop_date| {
        let cause = pb::RefundCause::MerchantCannotServe.into();
        let request =
            pb::PreviewContractRefundRequest { name: name.to_owned(), cause, stop_date, ..Default::default() };
        let (mut client, request) = (shop.client.clone(), shop.house.as_member(request));
        async move { Ok::<_, tonic::Status>(client.preview_contract_refund(request).await?.into_inner()) }
    };
    let day = |month, day| Some(proto::google::r#type::Date { year: 2027, month, day });
    // From 11 March on nobody served: ten days were had.
    let stopped = preview(&contract, day(3, 11)).await.expect("a preview");
    assert_eq!(minor(&stopped.to_sources), 365_000 - 10_000);
    let not_stopped = preview(&contract, None).await.expect("a preview");
    assert_eq!(minor(&not_stopped.to_sources), 365_000 - 31_000);
    assert_eq!(refused(preview(&contract, day(4, 1)).await).0, Code::InvalidArgument, "tomorrow");
    let sessions = shop.sell(ten()).await.name;
    assert_eq!(refused(preview(&sessions, day(3, 11)).await).0, Code::InvalidArgument);
}

#[tokio::test]
async fn what_can_not_be_refunded_is_refused_and_changes_nothing() {
    let shop = Shop::open().await;
    let wish = pb::RefundCause::ConsumerWish;
    let precondition = |reason: &str| (Code::FailedPrecondition, reason.to_owned());
    let draft = shop.draft(ten()).await.name;
    assert_eq!(refused(shop.refund(&draft, wish).await), precondition("CONTRACT_NOT_REFUNDABLE"));
    let contract = shop.sell(ten()).await.name;
    let one = shop.reserve(&contract).await;
    assert_eq!(refused(shop.refund(&contract, wish).await), precondition("USES_RESERVED"));
    assert_eq!(refused(shop.preview(&contract, wish).await), precondition("USES_RESERVED"));
    shop.void(&one.name).await.expect("free");
    let answer = refused(shop.refund(&contract, pb::RefundCause::MerchantCannotServe).await);
    assert_eq!(answer.0, Code::InvalidArgument);
    assert_eq!(refused(shop.refund(&contract, pb::RefundCause::Unspecified).await).0, Code::InvalidArgument);
    let before = (shop.get(&contract).await, shop.house.books().await);
    let request = pb::RefundContractRequest {
        name: contract.clone(),
        cause: wish.into(),
        expected: cny(299_999),
        request_id: fresh().to_string(),
        ..Default::default()
    };
    let answer = refused(shop.client.clone().refund_contract(shop.as_manager(request.clone())).await);
    assert_eq!(answer, precondition("REFUND_CHANGED"));
    assert_eq!((shop.get(&contract).await, shop.house.books().await), before);
    // The request id is still free: a refusal leaves no trace.
    let request = pb::RefundContractRequest { expected: cny(300_000), ..request };
    let done = shop.client.clone().refund_contract(shop.as_manager(request.clone())).await.expect("refunded");
    let again = shop.client.clone().refund_contract(shop.as_manager(request)).await.expect("the same");
    assert_eq!(done.into_inner().encode_to_vec(), again.into_inner().encode_to_vec());
    assert_eq!(shop.house.books().await, []);
}

fn gift(value: i64, decided: i64) -> Gift {
    let claim = if decided > 0 { Claim::Decided } else { Claim::None };
    let decided = if decided > 0 { cny(decided) } else { None };
    Gift { display_name: "A towel".to_owned(), value: cny(value), claim: claim.into(), decided }
}

fn cost(borne_by: Party, kind: Kind, fen: i64) -> Cost {
    Cost { borne_by: borne_by.into(), kind: kind.into(), amount: cny(fen) }
}

/// Three of ten sessions were had of a contract that is ended with gifts and costs.
async fn ended_with(
    cause: pb::RefundCause,
    gifts: Vec<Gift>,
    costs: Vec<Cost>,
    had: usize,
) -> (Shop, Result<pb::ContractRefund, tonic::Status>) {
    let shop = Shop::open().await;
    let name = shop.sell_online(ten()).await.name;
    for _ in 0..had {
        shop.have(&name).await;
    }
    shop.house.clock.advance(30 * DAY);
    let (cause, request_id) = (cause.into(), fresh().to_string());
    let request = pb::RefundContractRequest { name, cause, request_id, gifts, costs, ..Default::default() };
    let done = shop.client.clone().refund_contract(shop.as_manager(request)).await;
    (shop, done.map(tonic::Response::into_inner))
}

#[tokio::test]
async fn gifts_and_costs_count_where_an_article_allows_it() {
    use pb::RefundCause::{ConsumerWish, MerchantMoved};
    let consumer = cost(Party::Consumer, Kind::Reasonable, 5_000);
    let merchant = cost(Party::Merchant, Kind::Reasonable, 20_000);
    let commission = cost(Party::Merchant, Kind::StaffCommission, 30_000);
    let cases = [
        // By the list price 1,800 are left; 60 for the gift, and the merchant's cost, but no commission and not his own.
        (
            ConsumerWish,
            vec![gift(10_000, 6_000)],
            vec![merchant.clone(), commission, consumer.clone()],
            3,
            (154_000, 0),
        ),
        (ConsumerWish, vec![gift(10_000, 0)], vec![], 3, (180_000, 0)),
        // By the discount price 2,100, and what it has cost him.
        (MerchantMoved, vec![], vec![merchant, consumer.clone()], 3, (215_000, 0)),
        // More than was paid, which no source takes back.
        (MerchantMoved, vec![], vec![consumer], 0, (300_000, 5_000)),
        // Nobody pays for leaving.
        (ConsumerWish, vec![], vec![cost(Party::Merchant, Kind::Reasonable, 900_000)], 3, (0, 0)),
    ];
    for (cause, gifts, costs, had, expected) in cases {
        let (shop, done) = ended_with(cause, gifts, costs, had).await;
        let done = done.expect("ended");
        assert_eq!((minor(&done.to_sources), minor(&done.beyond_sources)), expected, "{cause:?}");
        assert_eq!(done.payout.is_empty(), expected.1 == 0);
        shop.house.send_refunds().await;
        for finding in payment::flows::audit::audit(&shop.house.db.pg, |_| {}).await.expect("looked") {
            assert!(finding.breaches.is_empty(), "{finding:?}");
        }
        if expected.1 > 0 {
            assert_eq!(shop.house.balances().await["refunds_payable"], -5_000);
            crate::payouts::hand_over(&shop, &done.payout).await;
            assert_eq!(shop.house.balances().await["refunds_payable"], 0);
        }
    }
    let wrong = [
        (vec![gift(10, 11)], vec![], "gifts[0].claim"),
        (vec![], vec![cost(Party::Consumer, Kind::Reasonable, 0)], "costs[0].amount"),
        (vec![], vec![cost(Party::Unspecified, Kind::Reasonable, 1)], "costs[0].borne_by"),
    ];
    for (gifts, costs, field) in wrong {
        let (shop, done) = ended_with(ConsumerWish, gifts, costs, 0).await;
        let status = done.expect_err("a refusal");
        let fields: Vec<String> = tonic_types::StatusExt::get_details_bad_request(&status)
            .map(|bad| bad.field_violations.into_iter().map(|of| of.field).collect())
            .unwrap_or_default();
        assert_eq!((status.code(), fields), (Code::InvalidArgument, vec![field.to_owned()]));
        assert_eq!(shop.house.count("select count(*) from prepaid_refund").await, 0);
    }
}
