//! Random cases: what always holds, and the second implementation to the fen.

use std::thread;

use super::{
    cases::{Dice, case, later},
    *,
};

/// Cases compared with the second implementation.
const COMPARED: u64 = 1_000_000;
/// Cases on which laws are tried.
const TRIED: u64 = 100_000;

/// `REFUND_LAW_SEED` replays a run.
fn seed() -> u64 {
    let seed = std::env::var("REFUND_LAW_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_250_501);
    println!("REFUND_LAW_SEED={seed}");
    seed
}

/// Case `number` of a run; each can be made without those before it.
pub(super) fn numbered(seed: u64, number: u64) -> (Contract, Request) {
    case(&mut Dice::new(seed.wrapping_add(number.wrapping_mul(0x5851_f42d_4c95_7f2d))))
}

#[test]
fn a_million_cases_agree_with_the_second_implementation() {
    let seed = seed();
    let compare = |numbers: std::ops::Range<u64>| {
        let book = book();
        for number in numbers {
            let (contract, request) = numbered(seed, number);
            let quote = super::quote(&book, &contract, &request);
            let quote = quote.unwrap_or_else(|e| panic!("case {number}: {e} {:?}\n{contract:#?}", e.violations()));
            let found = plain::Found {
                principal: quote.principal.minor().into(),
                interest: quote.interest.minor().into(),
                refund: quote.refund.minor().into(),
            };
            let plain = plain::refund(&contract, &request);
            assert_eq!(found, plain, "seed {seed}, case {number}:\n{contract:#?}\n{request:#?}\n{quote:#?}");
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| compare(0..COMPARED / 2));
        scope.spawn(|| compare(COMPARED / 2..COMPARED));
    });
}

#[test]
fn the_random_cases_meet_every_line_and_note() {
    let (book, seed) = (book(), seed());
    let (mut lines, mut notes) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
    for number in 0..TRIED / 5 {
        let (contract, request) = numbered(seed, number);
        let quote = super::quote(&book, &contract, &request).expect("valid");
        lines.extend(quote.lines.iter().map(|line| line.label.key()));
        notes.extend(quote.notes.iter().map(|note| note.label.key()));
    }
    assert_eq!(lines.len(), 14, "{lines:?}");
    assert_eq!(notes.len(), 14, "{notes:?}");
}

#[test]
fn laws_that_hold_for_every_case() {
    let (book, seed) = (book(), seed());
    for number in 0..TRIED {
        let (contract, request) = numbered(seed, number);
        let quote = |contract: &Contract, request: &Request| super::quote(&book, contract, request).expect("valid");
        let this = quote(&contract, &request);
        let case = || format!("seed {seed}, case {number}:\n{contract:#?}\n{request:#?}\n{this:#?}");

        let lines: i64 = this.lines.iter().map(|line| line.amount.minor()).sum();
        assert_eq!(lines, this.refund.minor(), "the lines add up: {}", case());
        assert!(!this.refund.is_negative() && !this.interest.is_negative(), "never below zero: {}", case());
        assert!((0..=contract.paid.minor()).contains(&this.principal.minor()), "{}", case());
        let costs: i64 = request.costs.iter().map(|cost| cost.amount.minor()).sum();
        let most = contract.paid.minor() + this.interest.minor() + costs;
        assert!(this.refund.minor() <= most, "never more than was paid, with interest and costs: {}", case());

        let at_fault = |cause| quote(&contract, &Request { cause, ..request.clone() }).refund.minor();
        let (consumer, merchant) = (at_fault(Cause::ConsumerBreach), at_fault(Cause::MerchantBreach));
        let neither = at_fault(Cause::ForceMajeure);
        assert!(consumer <= neither && neither <= merchant, "{consumer} {neither} {merchant}: {}", case());

        if let Some(more) = one_use_more(&contract, &request) {
            let more = quote(&more, &request);
            assert!(more.refund.minor() <= this.refund.minor(), "a use more, not less: {}", case());
        }
        if matches!(contract.plan, Plan::Pass(_)) {
            let ended_on = later(request.ended_on, 1);
            let payout_on = request.payout_on.max(ended_on);
            let more = quote(&contract, &Request { ended_on, payout_on, ..request.clone() });
            assert!(more.principal.minor() <= this.principal.minor(), "a day more, not less: {}", case());
        }
    }
}

/// The contract with a further use; `None` if nothing is left to be used, or it is a pass.
fn one_use_more(contract: &Contract, request: &Request) -> Option<Contract> {
    let mut more = contract.clone();
    match &mut more.plan {
        Plan::Pass(_) => return None,
        Plan::StoredValue(plan) => {
            let charged: i64 = plan.charges.iter().map(|c| c.agreed_price.minor() * i64::from(c.quantity)).sum();
            let left = contract.paid.minor() + plan.bonus.minor() - charged;
            if left == 0 {
                return None;
            }
            plan.charges.push(Charge {
                on: request.ended_on,
                item: "one more".into(),
                quantity: 1,
                list_price: cny(left.min(1_000) + 7),
                agreed_price: cny(left.min(1_000)),
                market_price: None,
            });
        }
        Plan::Package(plan) => {
            let had = |name: &str| plan.uses.iter().filter(|one| one.item == name).map(|one| one.quantity).sum::<u32>();
            let item = plan.items.iter().find(|item| had(&item.name) < item.quantity)?.name.clone();
            plan.uses.push(Use { on: request.ended_on, item, quantity: 1 });
        }
    }
    Some(more)
}
