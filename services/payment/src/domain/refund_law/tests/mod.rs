//! Cases by hand, a second implementation, what always holds, and bad input.

mod cases;
mod data;
mod explanation;
mod golden;
mod input;
#[expect(clippy::inconsistent_digit_grouping, reason = "days are written yyyy_mm_dd")]
mod plain;
mod random;

use jiff::civil::{Date, date};
use kernel::{Currency, Money};

use super::*;

fn cny(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

fn book() -> RuleBook {
    RuleBook::builtin().expect("the built-in data is in order")
}

const SIGNED: Date = date(2025, 6, 2);
const REQUESTED: Date = date(2025, 9, 1);

/// The case that the documents name: ¥3,000 paid, ¥1,000 on top, ¥1,600 used at list price.
fn checked_case() -> Contract {
    let charge = Charge {
        on: date(2025, 7, 1),
        item: "massage".into(),
        quantity: 1,
        list_price: cny(160_000),
        agreed_price: cny(160_000),
        market_price: None,
    };
    Contract {
        paid: cny(300_000),
        signed_on: SIGNED,
        paid_on: SIGNED,
        known_service: KnownService::New,
        supervised: None,
        gifts: vec![],
        terms: Terms::default(),
        plan: Plan::StoredValue(StoredValue { bonus: cny(100_000), charges: vec![charge] }),
    }
}

#[test]
fn the_checked_case_gives_1800_and_1400() {
    let quote = |cause| super::quote(&book(), &checked_case(), &Request::on(cause, REQUESTED)).expect("valid");

    let merchant = quote(Cause::MerchantBreach);
    assert_eq!(merchant.refund, cny(180_000));
    let lines: Vec<_> = merchant.lines.iter().map(|line| (line.label, line.amount.minor(), line.source)).collect();
    assert_eq!(
        lines,
        [(Label::Paid, 300_000, Source::Art15P1), (Label::DeliveredAtRatio, -120_000, Source::Art18P1Item2)]
    );
    assert_eq!(merchant.lines[1].source.reference(), "法释〔2025〕4号第十八条第一款第二项");
    let part = Operand::new("part", cny(300_000));
    let whole = Operand::new("whole", cny(400_000));
    assert_eq!(merchant.lines[1].operands[4..], [part, whole]);

    let consumer = quote(Cause::ConsumerWish);
    assert_eq!(consumer.refund, cny(140_000));
    assert_eq!(consumer.lines[1].label, Label::DeliveredAtList);
    assert_eq!(consumer.lines[1].source.reference(), "法释〔2025〕4号第十九条第一款");
    assert_eq!(consumer.ground.kind, GroundKind::Consent);
}

/// Not a benchmark: it prints the time and only guards against a slip of an order of magnitude.
#[test]
fn a_quote_is_quick() {
    let (book, mut contract) = (book(), checked_case());
    let Plan::StoredValue(plan) = &mut contract.plan else { unreachable!("the checked case is stored value") };
    plan.charges = vec![Charge { list_price: cny(4_000), agreed_price: cny(3_999), ..plan.charges[0].clone() }; 100];
    let request = Request { payout_on: date(2025, 10, 1), ..Request::on(Cause::MerchantBreach, REQUESTED) };
    let start = std::time::Instant::now();
    let rounds = 100;
    for _ in 0..rounds {
        assert!(super::quote(&book, &contract, &request).is_ok());
    }
    let each = start.elapsed() / rounds;
    println!("a quote over 100 uses takes {each:?}");
    assert!(each.as_millis() < 50, "{each:?}");
}
