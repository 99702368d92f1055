//! Bad input names every wrong field; what is missing from the book is said.

use super::*;

/// The fields that are refused.
fn refused(contract: &Contract, request: &Request) -> Vec<String> {
    let error = super::quote(&book(), contract, request).expect_err("must be refused");
    assert_eq!(error.reason(), "INVALID_ARGUMENT");
    error.violations().iter().map(|violation| violation.field.clone()).collect()
}

fn request() -> Request {
    Request::on(Cause::MerchantBreach, REQUESTED)
}

/// The checked case with a change.
fn changed(change: impl FnOnce(&mut Contract)) -> Contract {
    let mut contract = checked_case();
    change(&mut contract);
    contract
}

fn charge(contract: &mut Contract) -> &mut Charge {
    match &mut contract.plan {
        Plan::StoredValue(plan) => &mut plan.charges[0],
        _ => unreachable!("the checked case is stored value"),
    }
}

fn item(name: &str) -> Item {
    Item { name: name.into(), quantity: 10, list_price: cny(40_000), discount_price: None, market_price: None }
}

fn package(items: Vec<Item>, uses: Vec<Use>) -> Contract {
    changed(|contract| contract.plan = Plan::Package(Package { items, uses }))
}

fn pass() -> Pass {
    Pass { term: Days { first: SIGNED, last: date(2026, 6, 1) }, frozen: vec![], stopped_on: None }
}

fn with_pass(change: impl FnOnce(&mut Pass)) -> Contract {
    let mut pass = pass();
    change(&mut pass);
    changed(|contract| contract.plan = Plan::Pass(pass))
}

#[test]
fn all_wrong_fields_are_named_at_once() {
    let usd = Currency::parse("c", "USD").expect("known");
    let contract = changed(|contract| {
        contract.paid = cny(0);
        contract.terms.interest_rate = Some(Ppm(1_000_001));
        let charge = charge(contract);
        charge.quantity = 0;
        charge.item.clear();
        charge.list_price = Money::new(160_000, usd);
    });
    let request = Request { requested_on: date(2025, 5, 1), ..request() };
    assert_eq!(
        refused(&contract, &request),
        [
            "contract.paid",
            "request.requested_on",
            "contract.terms.interest_rate",
            "contract.plan.charges[0].item",
            "contract.plan.charges[0].quantity",
            "contract.plan.charges[0].list_price",
        ]
    );
}

#[test]
fn charges_are_within_the_card_and_their_prices_in_order() {
    let one = |change: fn(&mut Charge)| refused(&changed(|contract| change(charge(contract))), &request());
    let field = |name: &str| vec![format!("contract.plan.charges[0].{name}")];
    assert_eq!(one(|charge| charge.agreed_price = cny(160_001)), field("agreed_price"));
    assert_eq!(one(|charge| charge.agreed_price = cny(-1)), field("agreed_price"));
    assert_eq!(one(|charge| charge.market_price = Some(cny(160_001))), field("market_price"));
    assert_eq!(one(|charge| charge.market_price = Some(cny(159_999))), field("market_price"));
    assert_eq!(one(|charge| charge.on = date(2025, 6, 1)), field("on"));
    assert_eq!(one(|charge| charge.on = date(2025, 9, 2)), field("on"));
    assert_eq!(one(|charge| charge.quantity = 3), ["contract.plan.charges"]);
    let below = changed(|contract| contract.plan = Plan::StoredValue(StoredValue { bonus: cny(-1), charges: vec![] }));
    assert_eq!(refused(&below, &request()), ["contract.plan.bonus"]);
}

#[test]
fn packages_are_whole() {
    let uses = |item: &str, quantity| vec![Use { on: SIGNED, item: item.into(), quantity }];
    assert_eq!(
        refused(&package(vec![], vec![]), &request()),
        ["contract.plan.items", "contract.plan.items"],
        "no item, and so none worth the amount paid"
    );
    assert_eq!(refused(&package(vec![item("a"), item("a")], vec![]), &request()), ["contract.plan.items[1].name"]);
    let unknown = package(vec![item("a")], uses("b", 1));
    assert_eq!(refused(&unknown, &request()), ["contract.plan.uses[0].item"]);
    let too_many = package(vec![item("a")], [uses("a", 9), uses("a", 2)].concat());
    assert_eq!(refused(&too_many, &request()), ["contract.plan.uses[1].quantity"]);
    let dear = package(vec![Item { list_price: cny(29_999), ..item("a") }], vec![]);
    assert_eq!(refused(&dear, &request()), ["contract.plan.items"]);
    let stated = Item { discount_price: Some(cny(29_999)), ..item("a") };
    assert_eq!(refused(&package(vec![stated.clone()], vec![]), &request()), ["contract.plan.items"]);
    assert_eq!(refused(&package(vec![stated, item("b")], vec![]), &request()), ["contract.plan.items"]);
    let cheap = Item { market_price: Some(cny(29_999)), ..item("a") };
    assert_eq!(refused(&package(vec![cheap], vec![]), &request()), ["contract.plan.items[0].market_price"]);
}

#[test]
fn passes_have_a_term_with_rests_inside() {
    let days = |first, last| Days { first, last };
    let one = |change: fn(&mut Pass)| refused(&with_pass(change), &request());
    assert_eq!(one(|pass| pass.term.last = date(2025, 6, 1)), ["contract.plan.term"]);
    assert_eq!(one(|pass| pass.term.first = date(2025, 6, 1)), ["contract.plan.term"]);
    assert_eq!(one(|pass| pass.stopped_on = Some(date(2025, 9, 2))), ["contract.plan.stopped_on"]);
    assert_eq!(one(|pass| pass.frozen = vec![pass.term]), ["contract.plan.frozen"]);
    let outside = with_pass(|pass| pass.frozen = vec![days(date(2026, 6, 1), date(2026, 6, 2))]);
    assert_eq!(refused(&outside, &request()), ["contract.plan.frozen[0]"]);
    let twice = days(date(2025, 7, 1), date(2025, 7, 2));
    assert_eq!(refused(&with_pass(|pass| pass.frozen = vec![twice, twice]), &request()), ["contract.plan.frozen[1]"]);
    let priced = changed(|contract| {
        contract.plan = Plan::Pass(pass());
        contract.terms.delivered = Some(DeliveredTerm::DiscountPrice);
    });
    assert_eq!(refused(&priced, &request()), ["contract.terms.delivered"]);
    let cannot_serve = Request { cause: Cause::MerchantCannotServe, ..request() };
    assert_eq!(refused(&checked_case(), &cannot_serve), ["request.cause"]);
}

#[test]
fn what_stands_beside_the_plan_is_within_bounds() {
    let gift = |value, claim| Gift { name: "robe".into(), value: cny(value), claim };
    let contract = changed(|contract| {
        contract.supervised = Some(Supervised { balance: cny(300_001), rate: Ppm(1_000_001) });
        contract.gifts = vec![gift(-1, GiftClaim::None), gift(5, GiftClaim::Decided(cny(6)))];
        contract.terms.delivered = Some(DeliveredTerm::Amount(cny(300_001)));
        contract.terms.interest_from = Some(InterestFrom::Day(date(2025, 6, 1)));
    });
    let cost = Cost { borne_by: Party::Consumer, kind: CostKind::Reasonable, amount: cny(0) };
    let request = Request { costs: vec![cost], payout_on: date(2025, 8, 31), ..request() };
    assert_eq!(
        refused(&contract, &request),
        [
            "request.payout_on",
            "contract.terms.delivered",
            "contract.terms.interest_from",
            "contract.supervised.balance",
            "contract.supervised.rate",
            "contract.gifts[0].value",
            "contract.gifts[1].claim",
            "request.costs[0].amount",
        ]
    );
}

#[test]
fn the_work_of_a_quote_is_bounded() {
    let contract = changed(|contract| {
        let one = Charge { list_price: cny(1), agreed_price: cny(1), ..charge(contract).clone() };
        contract.plan = Plan::StoredValue(StoredValue { bonus: cny(0), charges: vec![one; MAX_ENTRIES + 1] });
    });
    assert_eq!(refused(&contract, &request()), ["contract.plan.charges"]);
}

#[test]
fn amounts_too_large_are_refused_and_never_wrap() {
    let huge = changed(|contract| {
        contract.paid = cny(i64::MAX);
        contract.plan = Plan::StoredValue(StoredValue { bonus: cny(i64::MAX), charges: vec![] });
    });
    let error = super::quote(&book(), &huge, &request()).expect_err("too large");
    assert_eq!(error.reason(), "AMOUNT_OVERFLOW");
    let used = changed(|contract| {
        let charge = charge(contract);
        charge.quantity = u32::MAX;
        charge.list_price = cny(i64::MAX);
        charge.agreed_price = cny(0);
    });
    let error = super::quote(&book(), &used, &Request::on(Cause::ConsumerWish, REQUESTED)).expect_err("too large");
    assert_eq!(error.reason(), "AMOUNT_OVERFLOW");
}

#[test]
fn what_the_book_does_not_know_is_said() {
    let old = changed(|contract| {
        contract.signed_on = date(2018, 1, 1);
        contract.paid_on = date(2018, 1, 1);
        charge(contract).on = date(2018, 2, 1);
    });
    let reason = |request: &Request| super::quote(&book(), &old, request).map(|_| ()).map_err(|error| error.reason());
    assert_eq!(reason(&Request::on(Cause::MerchantBreach, date(2020, 12, 31))), Err("LAW_UNKNOWN"));
    let late = Request { payout_on: date(2025, 9, 2), ..request() };
    assert_eq!(reason(&late), Err("INTEREST_RATE_UNKNOWN"));
    assert_eq!(reason(&request()), Ok(()), "no interest, no rate");
    assert_eq!(reason(&Request { cause: Cause::ConsumerWish, ..late }), Ok(()), "the deposit rate is known");
}

#[test]
fn a_book_is_in_order() {
    let step = |day, rate| Step { from: day, rate: Ppm(rate) };
    assert!(RateTable::try_new(vec![], REQUESTED).is_err());
    assert!(RateTable::try_new(vec![step(SIGNED, 1), step(SIGNED, 2)], REQUESTED).is_err());
    let table = RateTable::try_new(vec![step(SIGNED, 1)], REQUESTED).expect("in order");
    let rules = book().rules_on(REQUESTED).expect("known").clone();
    let make = |rules| RuleBook::try_new(rules, table.clone(), table.clone(), Calendar::default()).is_ok();
    assert!(make(vec![rules.clone()]));
    assert!(!make(vec![]));
    assert!(!make(vec![rules.clone(), rules.clone()]));
    assert!(!make(vec![Rules { days_in_year: 0, ..rules }]));
}

/// A later interpretation is data: other days, another rate, another blame.
#[test]
fn a_change_of_the_law_is_a_change_of_data() {
    let table = |rate| RateTable::try_new(vec![Step { from: SIGNED, rate: Ppm(rate) }], REQUESTED).expect("in order");
    let now = book().rules_on(REQUESTED).expect("known").clone();
    let then = Rules {
        id: "later",
        from: date(2025, 8, 1),
        cooling_off_days: Some(120),
        cooling_off_counts_as: Attribution::Consumer,
        ..now.clone()
    };
    let later =
        RuleBook::try_new(vec![now, then], table(30_000), table(15_000), Calendar::default()).expect("in order");
    let quote = super::quote(&later, &checked_case(), &Request::on(Cause::ConsumerWish, REQUESTED)).expect("valid");
    assert_eq!(quote.rules, "later");
    assert_eq!(quote.ground.kind, GroundKind::CoolingOff(date(2025, 9, 30)));
    assert_eq!(quote.refund, cny(140_000));
    let before = Request::on(Cause::ConsumerWish, date(2025, 7, 31));
    assert_eq!(super::quote(&later, &checked_case(), &before).expect("valid").rules, "fashi-2025-4");
}
