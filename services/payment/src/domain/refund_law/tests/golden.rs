//! Cases of `golden/*.toml`, reckoned by hand from the text of 法释〔2025〕4号.
//!
//! Amounts are yuan. Unless a case says otherwise the contract was made and paid on Monday 2025-06-02, the refund was
//! asked for, the contract ended and the money paid out on 2025-09-01; uses are of the day of the contract, an agreed
//! price is the list price. On 2025-06-02 the one-year loan prime rate was 3.00 %, the deposit benchmark 1.50 %.
//! From 2025-09-01 to 2025-12-30 are 120 days, a third of 360. `article` is what a case turns on, `hand` the reckoning.

use super::{
    data::{Case, File, yuan},
    *,
};

const GOLDEN: [&str; 8] = [
    include_str!("golden/stored_value.toml"),
    include_str!("golden/package.toml"),
    include_str!("golden/terms.toml"),
    include_str!("golden/pass.toml"),
    include_str!("golden/cooling_off.toml"),
    include_str!("golden/applicability.toml"),
    include_str!("golden/interest.toml"),
    include_str!("golden/set_off.toml"),
];

fn cases() -> Vec<Case> {
    let read = |text| toml::from_str::<File>(text).expect("a golden file is in order").case;
    GOLDEN.into_iter().flat_map(read).collect()
}

#[test]
fn what_was_reckoned_by_hand_comes_out() {
    let (book, cases) = (book(), cases());
    assert!(cases.len() >= 60, "{} cases", cases.len());
    let wrong: Vec<String> = cases.iter().filter_map(|case| differs(&book, case)).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn the_second_implementation_agrees_by_hand_too() {
    for case in cases() {
        let (contract, request) = case.input();
        let found = plain::refund(&contract, &request);
        assert_eq!(found.refund, i128::from(yuan(&case.refund).minor()), "{}", case.name);
    }
}

#[test]
fn every_case_has_a_name_of_its_own_and_says_why() {
    let cases = cases();
    let names: std::collections::BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len());
    assert!(cases.iter().all(|case| !case.article.is_empty() && !case.hand.is_empty()));
}

/// What is not as expected.
fn differs(book: &RuleBook, case: &Case) -> Option<String> {
    let (contract, request) = case.input();
    let quote = match super::quote(book, &contract, &request) {
        Ok(quote) => quote,
        Err(error) => return Some(format!("{}: {error} {:?}", case.name, error.violations())),
    };
    let interest = yuan(case.interest.as_deref().unwrap_or("0"));
    let short = |key: &str| key.rsplit('.').next().unwrap_or(key).to_owned();
    let lines: Vec<_> = quote.lines.iter().map(|line| short(line.label.key())).collect();
    let notes: Vec<_> = quote.notes.iter().map(|note| short(note.label.key())).collect();
    let ground = match quote.ground.kind {
        GroundKind::CoolingOff(_) => "cooling_off",
        GroundKind::AgreedCoolingOff(_) => "agreed_cooling_off",
        GroundKind::Right => "right",
        GroundKind::Consent => "consent",
    };
    let as_expected = quote.refund == yuan(&case.refund)
        && quote.interest == interest
        && case.ground.as_ref().is_none_or(|expected| expected == ground)
        && case.lines.as_ref().is_none_or(|expected| *expected == lines)
        && case.notes.as_ref().is_none_or(|expected| *expected == notes);
    (!as_expected).then(|| {
        format!(
            "{} ({}): refund {} interest {} ground {ground} lines {lines:?} notes {notes:?}; by hand: {} {}",
            case.name, case.article, quote.refund, quote.interest, case.refund, case.hand
        )
    })
}
