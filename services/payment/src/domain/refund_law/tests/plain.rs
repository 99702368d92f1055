//! A second implementation, written from the text of the interpretation and from nothing else.
//!
//! It goes through the articles in their order, thinks in fractions and rounds at the very end. It shares only the input
//! with the engine: no calendar, no rates, no rounding.

use jiff::civil::Date;

use super::*;

/// A fraction, its denominator above zero.
#[derive(Clone, Copy)]
struct Fraction(i128, i128);

impl Fraction {
    fn plus(self, other: Self) -> Self {
        if self.1 == other.1 { Self(self.0 + other.0, self.1) } else { self.cross(other) }
    }

    fn cross(self, other: Self) -> Self {
        Self(self.0 * other.1 + other.0 * self.1, self.1 * other.1)
    }

    fn minus(self, other: Self) -> Self {
        self.plus(Self(-other.0, other.1))
    }

    fn times(self, part: i128, whole: i128) -> Self {
        Self(self.0 * part, self.1 * whole)
    }

    fn less(self, other: Self) -> bool {
        self.0 * other.1 < other.0 * self.1
    }

    /// The next whole fen upwards: every doubt is the consumer's gain.
    fn up(self) -> i128 {
        -(-self.0).div_euclid(self.1)
    }
}

const NOTHING: Fraction = Fraction(0, 1);

fn fen(amount: Money) -> Fraction {
    Fraction(i128::from(amount.minor()), 1)
}

/// The number of a day (Howard Hinnant's days_from_civil).
fn number(day: Date) -> i64 {
    let (m, d) = (i64::from(day.month()), i64::from(day.day()));
    let y = i64::from(day.year()) - i64::from(m <= 2);
    let (era, year) = (y.div_euclid(400), y.rem_euclid(400));
    let of_year = (153 * ((m + 9) % 12) + 2) / 5 + d - 1;
    era * 146_097 + year * 365 + year / 4 - year / 100 + of_year
}

fn yyyymmdd(day: Date) -> i64 {
    i64::from(day.year()) * 10_000 + i64::from(day.month()) * 100 + i64::from(day.day())
}

/// What the second implementation finds, in fen.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) principal: i128,
    pub(super) interest: i128,
    pub(super) refund: i128,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Blame {
    Shop,
    Customer,
    NoOne,
}

/// Goes through the interpretation article by article.
pub(super) fn refund(contract: &Contract, request: &Request) -> Found {
    let blame = blame(contract, request);
    let paid = fen(contract.paid);

    // Art. 15 ¶1, 18 to 20, 22: what remains of the prepayment, never below zero.
    let mut remaining = match &contract.plan {
        Plan::Pass(pass) => paid.minus(used_up_time(contract, pass, request)),
        Plan::StoredValue(_) | Plan::Package(_) => paid.minus(deliveries(contract, blame)),
    };
    if let Some(DeliveredTerm::Amount(agreed)) = contract.terms.delivered {
        let by_contract = paid.minus(fen(agreed));
        // What one gets counts, in whole fen.
        if remaining.up() < by_contract.up() {
            remaining = by_contract;
        }
    }
    let principal = remaining.up().max(0);

    // Art. 15 ¶2, ¶3, 21.
    let mut wanted = 0;
    let mut weighed = NOTHING;
    for gift in &contract.gifts {
        match gift.claim {
            GiftClaim::None => {}
            GiftClaim::Decided(amount) => wanted += i128::from(amount.minor()),
            GiftClaim::Open => weighed = weighed.plus(fen(gift.value).times(principal, contract.paid.minor().into())),
        }
    }
    if blame == Blame::Customer {
        wanted += weighed.0 / weighed.1;
    }
    let mut purse = (principal - wanted).max(0);
    let mut on_top = 0;
    for cost in request.costs.iter().filter(|cost| cost.kind == CostKind::Reasonable) {
        let amount = i128::from(cost.amount.minor());
        if blame == Blame::Shop && cost.borne_by == Party::Consumer {
            on_top += amount;
        } else if blame == Blame::Customer && cost.borne_by == Party::Merchant {
            purse -= amount.min(purse);
        }
    }

    let interest = interest(contract, request, blame, principal);
    Found { principal, interest, refund: purse + on_top + interest }
}

/// Art. 13 and 14: whose doing it is. A return within the days is no one's.
fn blame(contract: &Contract, request: &Request) -> Blame {
    match request.cause {
        Cause::MerchantMoved | Cause::MerchantHandedOver | Cause::MerchantCannotServe | Cause::MerchantBreach => {
            return Blame::Shop;
        }
        Cause::ConsumerWish | Cause::ConsumerBreach => {}
        _ => return Blame::NoOne,
    }
    let (asked, strange) = (number(request.requested_on), contract.known_service == KnownService::New);
    let in_time = |days: i64| {
        let mut last = number(contract.paid_on) + days;
        while day_off(last) {
            last += 1;
        }
        asked <= last
    };
    let by_law = yyyymmdd(request.requested_on) >= 2025_05_01 && strange && in_time(7);
    let by_contract =
        contract.terms.cooling_off.is_some_and(|term| (term.for_known_service || strange) && in_time(term.days.into()));
    if by_law || by_contract { Blame::NoOne } else { Blame::Customer }
}

/// Weekends, the holidays of 2025 from May on, and those of 2026, as first and last day. Day 0 of [`number`] was a Wednesday.
fn day_off(day: i64) -> bool {
    let first_of_may = number(date(2025, 5, 1));
    let first_of_october = number(date(2025, 10, 1));
    let may = (0..5).contains(&(day - first_of_may));
    let dragon_boat = (0..3).contains(&(day - number(date(2025, 5, 31))));
    let october = (0..8).contains(&(day - first_of_october));
    let holidays_of_2026 = [
        ((1, 1), (1, 3)),
        ((2, 15), (2, 23)),
        ((4, 4), (4, 6)),
        ((5, 1), (5, 5)),
        ((6, 19), (6, 21)),
        ((9, 25), (9, 27)),
        ((10, 1), (10, 7)),
    ];
    let of_2026 = |(month, of_month)| number(date(2026, month, of_month));
    let later = holidays_of_2026.iter().any(|(first, last)| (of_2026(*first)..=of_2026(*last)).contains(&day));
    let worked_in_2026 = [(1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10)].map(of_2026);
    let worked = day == number(date(2025, 9, 28)) || day == number(date(2025, 10, 11)) || worked_in_2026.contains(&day);
    let weekend = matches!((day + 2).rem_euclid(7), 5 | 6);
    may || dragon_boat || october || later || (weekend && !worked)
}

/// Art. 18, 19 and 20 with their clauses on better terms.
fn deliveries(contract: &Contract, blame: Blame) -> Fraction {
    let (mut at_discount, mut before_discount, mut at_full_list) = (NOTHING, NOTHING, NOTHING);
    let mut book = |list: Money, discount: Fraction, market: Option<Money>, quantity: u32| {
        let times = i128::from(quantity);
        at_discount = at_discount.plus(discount.times(times, 1));
        before_discount = before_discount.plus(fen(market.unwrap_or(list)).times(times, 1));
        at_full_list = at_full_list.plus(fen(list).times(times, 1));
    };
    match &contract.plan {
        Plan::StoredValue(card) => {
            let paid = i128::from(contract.paid.minor());
            let loaded = paid + i128::from(card.bonus.minor());
            for charge in &card.charges {
                let discount = fen(charge.agreed_price).times(paid, loaded);
                book(charge.list_price, discount, charge.market_price, charge.quantity);
            }
        }
        Plan::Package(package) => {
            let worth = |item: &Item| i128::from(item.list_price.minor()) * i128::from(item.quantity);
            let all: i128 = package.items.iter().map(worth).sum();
            for one in &package.uses {
                let item = package.items.iter().find(|item| item.name == one.item).expect("valid");
                let discount = match item.discount_price {
                    Some(stated) => fen(stated),
                    None => fen(item.list_price).times(i128::from(contract.paid.minor()), all),
                };
                book(item.list_price, discount, item.market_price, one.quantity);
            }
        }
        Plan::Pass(_) => unreachable!("a pass has no prices"),
    }
    let by_law = if blame == Blame::Customer { before_discount } else { at_discount };
    let by_contract = match contract.terms.delivered {
        Some(DeliveredTerm::DiscountPrice) => at_discount,
        Some(DeliveredTerm::ShareOfList(Ppm(share))) => at_full_list.times(share.into(), 1_000_000),
        Some(DeliveredTerm::Amount(_)) | None => by_law,
    };
    if by_contract.less(by_law) { by_contract } else { by_law }
}

/// Art. 22: the whole less the share of the days that remain.
fn used_up_time(contract: &Contract, pass: &Pass, request: &Request) -> Fraction {
    let (first, last) = (number(pass.term.first), number(pass.term.last));
    // The first day that remains: after the end, or from the stop on.
    let mut open = number(request.ended_on) + 1;
    if let Some(stop) = pass.stopped_on {
        open = open.min(number(stop));
    }
    let (mut whole, mut remaining) = (last - first + 1, last - open.max(first) + 1);
    for frozen in &pass.frozen {
        let (from, to) = (number(frozen.first), number(frozen.last));
        whole -= to - from + 1;
        remaining -= (to - from.max(open) + 1).max(0);
    }
    let back = fen(contract.paid).times(remaining.max(0).into(), whole.into());
    fen(contract.paid).minus(back)
}

/// Art. 16 and 17.
fn interest(contract: &Contract, request: &Request, blame: Blame, principal: i128) -> i128 {
    let mut from = number(request.ended_on);
    match contract.terms.interest_from {
        Some(InterestFrom::Payment) => from = from.min(number(contract.paid_on)),
        Some(InterestFrom::Request) => from = from.min(number(request.requested_on)),
        Some(InterestFrom::Day(day)) => from = from.min(number(day)),
        None => {}
    }
    let days = i128::from((number(request.payout_on) - from).max(0));
    let rate = match (contract.terms.interest_rate, blame) {
        (Some(Ppm(agreed)), _) => agreed,
        (None, Blame::Customer) => 15_000,
        (None, Blame::Shop | Blame::NoOne) => loan_prime(yyyymmdd(contract.signed_on)),
    };
    let of = |base: i128, rate: u32| Fraction(base * i128::from(rate) * days, 360 * 1_000_000);
    let exact = match contract.supervised {
        Some(kept) if kept.rate.0 > rate => {
            let there = principal.min(kept.balance.minor().into());
            of(there, kept.rate.0).plus(of(principal - there, rate))
        }
        _ => of(principal, rate),
    };
    exact.up()
}

/// One-year loan prime rate since 2021, newest first.
fn loan_prime(day: i64) -> u32 {
    match day {
        2025_05_20.. => 30_000,
        2024_10_21.. => 31_000,
        2024_07_22.. => 33_500,
        2023_08_21.. => 34_500,
        2023_06_20.. => 35_500,
        2022_08_22.. => 36_500,
        2022_01_20.. => 37_000,
        2021_12_20.. => 38_000,
        _ => 38_500,
    }
}

#[test]
fn the_second_implementation_knows_its_calendar() {
    assert_eq!(number(date(2025, 5, 1)) - number(date(2024, 2, 29)), 427);
    assert!(day_off(number(date(2025, 6, 7))) && day_off(number(date(2025, 6, 8))));
    assert!(!day_off(number(date(2025, 6, 9))) && !day_off(number(date(2025, 6, 6))));
}
