//! Whoever reads a quote can reckon it again from what it shows.

use super::{random::numbered, *};

const SEED: u64 = 27;

fn operand<'a>(line: &'a Line, name: &str) -> &'a Value {
    let found = line.operands.iter().find(|operand| operand.name == name);
    &found.unwrap_or_else(|| panic!("{line:?} shows no {name}")).value
}

/// The value of an operand as a whole number: fen, pieces, days or millionths.
fn number(line: &Line, name: &str) -> i128 {
    match operand(line, name) {
        Value::Money(amount) => amount.minor().into(),
        Value::Count(count) => (*count).into(),
        Value::Ppm(Ppm(millionths)) => (*millionths).into(),
        other => panic!("{name} is {other:?}"),
    }
}

/// The lowest and the highest that the formula of a line comes to, over a denominator.
fn by_formula(line: &Line) -> (i128, i128, i128) {
    let n = |name| number(line, name);
    let exact = |value, whole| (value, value, whole);
    match line.label {
        Label::Paid => exact(n("paid"), 1),
        Label::DeliveredAtDiscount | Label::DeliveredAtRatio => {
            exact(-n("price") * n("quantity") * n("part"), n("whole"))
        }
        Label::DeliveredAtList | Label::DeliveredAtMarket => exact(-n("price") * n("quantity"), 1),
        Label::DeliveredAtAgreedShare => exact(-n("price") * n("quantity") * n("share"), 1_000_000),
        Label::DeliveredAtAgreedAmount => exact(-n("agreed"), 1),
        Label::TimePassed => exact(-n("paid") * n("days_passed"), n("days_in_all")),
        Label::ExcessNotOwed => exact(n("delivered") - n("paid"), 1),
        // Up to what is left, which the lines before say.
        Label::Gift => (-n("awarded"), 0, 1),
        Label::MerchantCost => (-n("cost"), 0, 1),
        Label::ConsumerCost => exact(n("cost"), 1),
        Label::Interest | Label::SupervisedInterest => {
            exact(n("base") * n("rate") * n("days"), 1_000_000 * n("days_in_year"))
        }
    }
}

#[test]
fn each_line_follows_from_its_operands() {
    let book = book();
    for case in 0..20_000 {
        let (contract, request) = numbered(SEED, case);
        let quote = super::quote(&book, &contract, &request).expect("valid");
        for line in &quote.lines {
            let (low, high, whole) = by_formula(line);
            // As parts of a rounded total, lines with a fraction may be off by less than one.
            let slack = if whole == 1 { 0 } else { whole - 1 };
            let amount = i128::from(line.amount.minor()) * whole;
            assert!((low - slack..=high + slack).contains(&amount), "seed {SEED}, case {case}: {line:#?}");
        }
    }
}

#[test]
fn what_is_set_off_is_all_that_is_asked_for_or_all_that_is_left() {
    let book = book();
    for case in 0..20_000 {
        let (contract, request) = numbered(SEED, case);
        let quote = super::quote(&book, &contract, &request).expect("valid");
        let mut left = quote.principal.minor();
        for line in &quote.lines {
            let asked = match line.label {
                Label::Gift => number(line, "awarded"),
                Label::MerchantCost => number(line, "cost"),
                _ => continue,
            };
            let asked = i64::try_from(asked).expect("an amount");
            assert_eq!(-line.amount.minor(), asked.min(left), "seed {SEED}, case {case}: {line:#?}");
            left += line.amount.minor();
        }
    }
}

#[test]
fn every_line_cites_its_law() {
    let book = book();
    let mut cited = std::collections::BTreeMap::new();
    for case in 0..5_000 {
        let (contract, request) = numbered(SEED, case);
        let quote = super::quote(&book, &contract, &request).expect("valid");
        let sources = quote.lines.iter().map(|line| line.source).chain(quote.notes.iter().map(|note| note.source));
        cited.extend(sources.chain([quote.ground.source]).map(|source| (source.reference(), source)));
    }
    // All provisions but Art. 17 ¶1, which stands among the operands of interest.
    assert_eq!(cited.len(), 33, "{cited:?}");
    for (reference, source) in cited {
        assert!(reference.starts_with("法释〔2025〕4号第") || reference.starts_with('《'), "{reference}");
        assert!(source.gist().ends_with('.'), "{reference}");
    }
}
