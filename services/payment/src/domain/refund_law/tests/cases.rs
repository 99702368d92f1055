//! Random cases, valid by construction.

use jiff::civil::Date;

use super::*;

/// SplitMix64: small, fast and the same everywhere.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From `low` to `high`, both included.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = u64::try_from(high - low).expect("low is not above high") + 1;
        low + i64::try_from(self.next() % width).expect("within the width")
    }

    /// Once in `n`.
    fn once_in(&mut self, n: i64) -> bool {
        self.between(1, n) == 1
    }

    fn maybe<T>(&mut self, n: i64, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.once_in(n) { Some(make(self)) } else { None }
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        let last = i64::try_from(choices.len()).expect("few") - 1;
        choices[usize::try_from(self.between(0, last)).expect("not below zero")]
    }

    fn money(&mut self, low: i64, high: i64) -> Money {
        cny(self.between(low, high))
    }

    fn quantity(&mut self, high: i64) -> u32 {
        u32::try_from(self.between(1, high)).expect("small")
    }

    fn rate(&mut self) -> Ppm {
        Ppm(u32::try_from(self.between(0, 80_000)).expect("small"))
    }
}

/// `days` after `day`.
pub(super) fn later(day: Date, days: i64) -> Date {
    day + jiff::Span::new().days(days)
}

const NAMES: [&str; 3] = ["massage", "facial", "foot care"];

/// A contract with its request.
pub(super) fn case(dice: &mut Dice) -> (Contract, Request) {
    // From small amounts, where each fen shows, to large ones.
    let most = dice.of(&[20, 1_000, 100_000, 10_000_000]);
    let paid = dice.between(1, most);
    let signed_on = later(date(2021, 1, 1), dice.between(0, 1_900));
    let paid_on = later(signed_on, dice.between(-2, 2));
    let begun = signed_on.max(paid_on);
    let lived = dice.of(&[12, 400]);
    let requested_on = later(begun, dice.between(0, lived));
    let ended_on = if dice.once_in(2) { requested_on } else { later(begun, dice.between(0, lived)) };
    let payout_on = later(ended_on.max(requested_on), if dice.once_in(4) { 0 } else { dice.between(0, 200) });
    let plan = match dice.between(0, 3) {
        0 | 1 => Plan::StoredValue(stored_value(dice, paid, signed_on, ended_on)),
        2 => Plan::Package(package(dice, paid, signed_on, ended_on)),
        _ => Plan::Pass(pass(dice, signed_on, ended_on)),
    };
    let mut cause = dice.of(&Cause::ALL);
    if cause == Cause::MerchantCannotServe && !matches!(plan, Plan::Pass(_)) {
        cause = Cause::MerchantBreach;
    }
    let known =
        [KnownService::New, KnownService::New, KnownService::FromThisMerchant, KnownService::FromAnotherMerchant];
    let contract = Contract {
        paid: cny(paid),
        signed_on,
        paid_on,
        known_service: dice.of(&known),
        supervised: dice.maybe(4, |dice| Supervised { balance: dice.money(0, paid), rate: dice.rate() }),
        gifts: gifts(dice, paid),
        terms: terms(dice, paid, paid_on, &plan),
        plan,
    };
    let costs = (0..dice.between(0, 3).min(1) * dice.between(0, 3)).map(|_| Cost {
        borne_by: dice.of(&[Party::Consumer, Party::Merchant]),
        kind: dice.of(&[CostKind::Reasonable, CostKind::Reasonable, CostKind::StaffCommission]),
        amount: dice.money(1, paid),
    });
    let costs = costs.collect();
    (contract, Request { cause, requested_on, ended_on, payout_on, costs })
}

fn terms(dice: &mut Dice, paid: i64, paid_on: Date, plan: &Plan) -> Terms {
    let is_pass = matches!(plan, Plan::Pass(_));
    Terms {
        cooling_off: dice.maybe(4, |dice| AgreedCoolingOff {
            days: u16::try_from(dice.between(0, 30)).expect("small"),
            for_known_service: dice.once_in(2),
        }),
        delivered: dice.maybe(3, |dice| match dice.between(0, 2) {
            0 if !is_pass => DeliveredTerm::DiscountPrice,
            1 if !is_pass => DeliveredTerm::ShareOfList(Ppm(u32::try_from(dice.between(0, 1_000_000)).expect("fits"))),
            _ => DeliveredTerm::Amount(dice.money(0, paid)),
        }),
        interest_rate: dice.maybe(4, Dice::rate),
        interest_from: dice.maybe(4, |dice| match dice.between(0, 2) {
            0 => InterestFrom::Payment,
            1 => InterestFrom::Request,
            _ => InterestFrom::Day(later(paid_on, dice.between(0, 300))),
        }),
    }
}

fn gifts(dice: &mut Dice, paid: i64) -> Vec<Gift> {
    let count = if dice.once_in(3) { dice.between(1, 2) } else { 0 };
    let gifts = (0..count).map(|_| {
        let value = dice.between(0, paid);
        let claim = match dice.between(0, 2) {
            0 => GiftClaim::None,
            1 => GiftClaim::Open,
            _ => GiftClaim::Decided(dice.money(0, value)),
        };
        Gift { name: "bathrobe".into(), value: cny(value), claim }
    });
    gifts.collect()
}

fn day_within(dice: &mut Dice, first: Date, last: Date) -> Date {
    let days = (last - first).get_days();
    later(first, dice.between(0, days.into()))
}

fn stored_value(dice: &mut Dice, paid: i64, signed_on: Date, ended_on: Date) -> StoredValue {
    let bonus = if dice.once_in(3) { 0 } else { dice.between(0, paid) };
    let mut left = paid + bonus;
    let mut charges = Vec::new();
    for _ in 0..dice.between(0, 4) {
        if left == 0 {
            break;
        }
        let quantity = dice.quantity(left.min(3));
        let agreed = dice.between(0, left / i64::from(quantity));
        let list = if dice.once_in(2) { agreed } else { dice.between(agreed, agreed * 2 + 10) };
        left -= agreed * i64::from(quantity);
        charges.push(Charge {
            on: day_within(dice, signed_on, ended_on),
            item: dice.of(&NAMES).into(),
            quantity,
            list_price: cny(list),
            agreed_price: cny(agreed),
            market_price: dice.maybe(5, |dice| dice.money(agreed, list)),
        });
    }
    StoredValue { bonus: cny(bonus), charges }
}

/// Items whose list prices come to more than was paid; half of them with stated prices that come to exactly that.
fn package(dice: &mut Dice, paid: i64, signed_on: Date, ended_on: Date) -> Package {
    let count = dice.between(1, 3);
    let mut items: Vec<Item> = (0..count)
        .map(|n| Item {
            name: NAMES[usize::try_from(n).expect("small")].into(),
            quantity: dice.quantity(12),
            list_price: cny(dice.between(0, paid)),
            discount_price: None,
            market_price: None,
        })
        .collect();
    // The last one, once, fills up whatever is missing.
    let last = items.len() - 1;
    items[last].quantity = 1;
    let stated = dice.once_in(2);
    let mut left = paid;
    for item in &mut items[..last] {
        let most = (left / i64::from(item.quantity)).min(item.list_price.minor());
        let discount = dice.between(0, most);
        left -= discount * i64::from(item.quantity);
        item.discount_price = stated.then_some(cny(discount));
    }
    let rest = left.max(1);
    items[last].list_price = cny(dice.between(rest.max(left), rest * 2));
    items[last].discount_price = stated.then_some(cny(left));
    let all: i128 = items.iter().map(|i| i128::from(i.list_price.minor()) * i128::from(i.quantity)).sum();
    for item in &mut items {
        let list = item.list_price.minor();
        let spread = (i128::from(list) * i128::from(paid)).div_euclid(all) + 1;
        let low = item.discount_price.map_or_else(|| i64::try_from(spread).expect("fits").min(list), Money::minor);
        item.market_price = dice.maybe(5, |dice| dice.money(low, list));
    }
    let mut uses = Vec::new();
    for item in &items {
        let had = dice.between(0, item.quantity.into());
        let first = dice.between(0, had);
        for quantity in [first, had - first].into_iter().filter(|quantity| *quantity > 0) {
            let on = day_within(dice, signed_on, ended_on);
            uses.push(Use { on, item: item.name.clone(), quantity: u32::try_from(quantity).expect("small") });
        }
    }
    Package { items, uses }
}

fn pass(dice: &mut Dice, signed_on: Date, ended_on: Date) -> Pass {
    let first = later(signed_on, dice.between(0, 20));
    let length = dice.of(&[1, 7, 31, 365, 730]);
    let last = later(first, dice.between(0, length));
    let mut frozen = Vec::new();
    // The first day never rests, so that one is left.
    let mut from = later(first, dice.between(1, 40));
    for _ in 0..dice.between(0, 2) {
        let to = later(from, dice.between(0, 30));
        if to > last {
            break;
        }
        frozen.push(Days { first: from, last: to });
        from = later(to, dice.between(1, 40));
    }
    let stopped_on = dice.maybe(4, |dice| day_within(dice, signed_on, ended_on));
    Pass { term: Days { first, last }, frozen, stopped_on }
}
