//! What the law gives back, asked over gRPC.

use proto::{
    google::r#type::Date,
    payment::v1::{
        self as pb,
        prepaid_service_client::PrepaidServiceClient,
        refund_law_contract::{
            Gift, Package, Pass, Plan, StoredValue, Terms, gift::Claim, package, stored_value::Charge, terms::Delivered,
        },
        refund_law_quote::{Attribution, operand::Value},
        refund_law_request::Cost,
    },
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::{
    house::House,
    wire::{cny, minor, refused, usd},
};

fn day(year: i32, month: i32, day: i32) -> Option<Date> {
    Some(Date { year, month, day })
}

/// ¥3,000 paid on 2025-06-02 with ¥1,000 on top, of which ¥1,600 were used at list price.
fn checked_case() -> pb::RefundLawContract {
    let charge = Charge {
        date: day(2025, 7, 1),
        item: "massage".to_owned(),
        quantity: 4,
        list_price: cny(40_000),
        ..Charge::default()
    };
    pb::RefundLawContract {
        paid: cny(300_000),
        sign_date: day(2025, 6, 2),
        plan: Some(Plan::StoredValue(StoredValue { bonus: cny(100_000), charges: vec![charge] })),
        ..pb::RefundLawContract::default()
    }
}

fn asked(cause: pb::RefundCause) -> pb::RefundLawRequest {
    pb::RefundLawRequest { cause: cause.into(), request_date: day(2025, 9, 1), ..pb::RefundLawRequest::default() }
}

async fn quote(
    house: &House,
    contract: pb::RefundLawContract,
    request: pb::RefundLawRequest,
) -> Result<pb::RefundLawQuote, Status> {
    let message = pb::QuoteRefundByLawRequest { contract: Some(contract), request: Some(request) };
    let mut client = PrepaidServiceClient::new(house.channel.clone());
    Ok(client.quote_refund_by_law(house.as_member(message)).await?.into_inner())
}

/// Label, fen and provision of each line.
fn lines(quote: &pb::RefundLawQuote) -> Vec<(&str, i64, &str)> {
    let lines = quote.lines.iter().map(|line| {
        let reference = line.provision.as_ref().map_or("", |provision| provision.reference.as_str());
        (line.label.as_str(), minor(&line.amount), reference)
    });
    lines.collect()
}

#[tokio::test]
async fn the_checked_case_gives_1800_and_1400_with_the_articles() {
    let house = House::open().await;
    let ask = |cause| quote(&house, checked_case(), asked(cause));

    let merchant = ask(pb::RefundCause::MerchantBreach).await.expect("a quote");
    assert_eq!(minor(&merchant.refund), 180_000);
    assert_eq!(
        lines(&merchant),
        [
            ("refund.paid", 300_000, "法释〔2025〕4号第十五条第一款"),
            ("refund.delivered_at_ratio", -120_000, "法释〔2025〕4号第十八条第一款第二项"),
        ]
    );
    assert_eq!(merchant.attribution(), Attribution::Merchant);
    assert_eq!(merchant.rules, "fashi-2025-4");

    let consumer = ask(pb::RefundCause::ConsumerWish).await.expect("a quote");
    assert_eq!(minor(&consumer.refund), 140_000);
    assert_eq!(lines(&consumer)[1], ("refund.delivered_at_list", -160_000, "法释〔2025〕4号第十九条第一款"));
    assert_eq!(consumer.attribution(), Attribution::Consumer);
    let delivered = &consumer.lines[1];
    assert_eq!(delivered.formula, "-(price × quantity)");
    let operands: Vec<&str> = delivered.operands.iter().map(|operand| operand.name.as_str()).collect();
    assert_eq!(operands, ["day", "item", "price", "quantity"]);
    assert_eq!(delivered.operands[3].value, Some(Value::Count(4)));
}

#[tokio::test]
async fn packages_and_passes_are_reckoned_too() {
    let house = House::open().await;
    let item =
        package::Item { item: "massage".to_owned(), quantity: 10, list_price: cny(40_000), ..package::Item::default() };
    let had = package::Use { date: day(2025, 7, 1), item: "massage".to_owned(), quantity: 3 };
    let package = pb::RefundLawContract {
        plan: Some(Plan::Package(Package { items: vec![item], uses: vec![had] })),
        ..checked_case()
    };
    let ten_at_3000 = quote(&house, package.clone(), asked(pb::RefundCause::MerchantMoved)).await.expect("a quote");
    assert_eq!(minor(&ten_at_3000.refund), 210_000, "three of ten at 300");
    let wish = quote(&house, package, asked(pb::RefundCause::ConsumerWish)).await.expect("a quote");
    assert_eq!(minor(&wish.refund), 180_000, "three at 400");

    let pass = Pass { start_date: day(2025, 6, 2), end_date: day(2026, 6, 1), ..Pass::default() };
    let pass = pb::RefundLawContract {
        paid: cny(365_000),
        plan: Some(Plan::Pass(pass)),
        terms: Some(Terms { delivered: Some(Delivered::Amount(cny(0).expect("given"))), ..Terms::default() }),
        ..checked_case()
    };
    let free = quote(&house, pass.clone(), asked(pb::RefundCause::ConsumerWish)).await.expect("a quote");
    assert_eq!(minor(&free.refund), 365_000, "the better term wins");
    let pass = pb::RefundLawContract { terms: None, ..pass };
    let by_time = quote(&house, pass, asked(pb::RefundCause::ConsumerWish)).await.expect("a quote");
    assert_eq!(minor(&by_time.refund), 273_000, "92 of 365 days have passed");
}

#[tokio::test]
async fn bad_input_names_the_fields_of_the_message() {
    let house = House::open().await;
    let charge = |change: fn(&mut Charge)| {
        let mut contract = checked_case();
        if let Some(Plan::StoredValue(plan)) = &mut contract.plan {
            plan.charges.iter_mut().for_each(change);
        }
        contract
    };
    let wish = || asked(pb::RefundCause::ConsumerWish);
    let with = |change: fn(&mut pb::RefundLawContract)| {
        let mut contract = checked_case();
        change(&mut contract);
        contract
    };
    let pass = |frozen: Vec<pb::RefundLawDays>| pb::RefundLawContract {
        plan: Some(Plan::Pass(Pass {
            start_date: day(2025, 6, 2),
            end_date: day(2025, 6, 30),
            frozen,
            stop_date: None,
        })),
        ..checked_case()
    };
    let cases = [
        (with(|c| c.paid = None), wish(), "contract.paid"),
        (with(|c| c.paid = cny(0)), wish(), "contract.paid"),
        (with(|c| c.paid = cny(-1)), wish(), "contract.paid"),
        (with(|c| c.paid.as_mut().expect("given").nanos = 1), wish(), "contract.paid.nanos"),
        (with(|c| c.paid = usd(300_000)), wish(), "contract.stored_value.bonus"),
        (with(|c| c.sign_date = day(2025, 2, 30)), wish(), "contract.sign_date"),
        (with(|c| c.plan = None), wish(), "contract.plan"),
        (with(|c| c.pay_date = day(2026, 1, 1)), wish(), "request.request_date"),
        (charge(|c| c.quantity = 0), wish(), "contract.stored_value.charges[0].quantity"),
        (charge(|c| c.quantity = 100), wish(), "contract.stored_value.charges"),
        (charge(|c| c.date = day(2025, 6, 1)), wish(), "contract.stored_value.charges[0].date"),
        (charge(|c| c.agreed_price = cny(40_001)), wish(), "contract.stored_value.charges[0].agreed_price"),
        (checked_case(), asked(pb::RefundCause::Unspecified), "request.cause"),
        (checked_case(), asked(pb::RefundCause::MerchantCannotServe), "request.cause"),
        (
            checked_case(),
            pb::RefundLawRequest { costs: vec![Cost { amount: cny(1), ..Cost::default() }], ..wish() },
            "request.costs[0].borne_by",
        ),
        (
            with(|c| {
                c.gifts =
                    vec![Gift { value: cny(5), claim: Claim::Decided.into(), decided: cny(6), ..Gift::default() }];
            }),
            wish(),
            "contract.gifts[0].decided",
        ),
        (
            with(|c| {
                c.terms = Some(Terms { delivered: Some(Delivered::ShareOfListPpm(1_000_001)), ..Terms::default() })
            }),
            wish(),
            "contract.terms.share_of_list_ppm",
        ),
        (
            pass(vec![pb::RefundLawDays { start_date: day(2025, 6, 9), end_date: day(2025, 6, 8) }]),
            wish(),
            "contract.pass.frozen[0].end_date",
        ),
        (
            pass(vec![pb::RefundLawDays { start_date: day(2025, 6, 1), end_date: day(2025, 6, 8) }]),
            wish(),
            "contract.pass.frozen[0]",
        ),
    ];
    for (contract, request, field) in cases {
        let status = quote(&house, contract, request).await.expect_err(field);
        assert_eq!(status.code(), Code::InvalidArgument, "{field}");
        let fields = status.get_details_bad_request().map(|bad| bad.field_violations).unwrap_or_default();
        let fields: Vec<String> = fields.into_iter().map(|violation| violation.field).collect();
        assert!(fields.iter().any(|found| found == field), "{field}: {fields:?}");
    }
    let too_much = with(|c| c.paid = cny(i64::MAX));
    assert_eq!(refused(quote(&house, too_much, wish()).await), (Code::InvalidArgument, "AMOUNT_OVERFLOW".to_owned()));
    let mut long_ago = checked_case();
    long_ago.sign_date = day(2019, 1, 1);
    let asked_then = pb::RefundLawRequest { request_date: day(2020, 1, 1), ..wish() };
    long_ago.plan = Some(Plan::StoredValue(StoredValue::default()));
    let refusal = refused(quote(&house, long_ago, asked_then).await);
    assert_eq!(refusal, (Code::FailedPrecondition, "LAW_UNKNOWN".to_owned()));
}
