//! Bad input is refused with every wrong field named.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use kernel::{Currency, Error, FieldViolation, Money, Result};

use super::{
    cause::Cause,
    contract::{Contract, Days, DeliveredTerm, GiftClaim, InterestFrom, Package, Pass, Plan, StoredValue, Terms},
    pass::days_until,
    rate::Ppm,
    request::Request,
};

/// How many uses, items, gifts, costs or freezes a case may have: it bounds the work of a quote.
pub const MAX_ENTRIES: usize = 10_000;

/// Refuses a case that makes no sense.
///
/// # Errors
/// `InvalidArgument` with a violation for each wrong field.
pub(super) fn check(contract: &Contract, request: &Request) -> Result<()> {
    let mut check = Check { currency: contract.paid.currency(), found: Vec::new() };
    check.positive("contract.paid", contract.paid);
    check.days(contract, request);
    check.terms(contract);
    check.side(contract, request);
    match &contract.plan {
        Plan::StoredValue(plan) => check.stored_value(contract, request, plan),
        Plan::Package(plan) => check.package(contract, request, plan),
        Plan::Pass(plan) => check.pass(contract, request, plan),
    }
    if request.cause == Cause::MerchantCannotServe && !matches!(contract.plan, Plan::Pass(_)) {
        check.wrong("request.cause", "is for passes of unlimited service; for others use a breach by the merchant");
    }
    if check.found.is_empty() { Ok(()) } else { Err(Error::invalid_fields(check.found)) }
}

struct Check {
    currency: Currency,
    found: Vec<FieldViolation>,
}

impl Check {
    fn wrong(&mut self, field: impl Into<String>, description: &str) {
        self.found.push(FieldViolation { field: field.into(), description: description.to_owned() });
    }

    fn must(&mut self, holds: bool, field: &str, description: &str) {
        if !holds {
            self.wrong(field, description);
        }
    }

    fn currency(&mut self, field: &str, amount: Money) {
        self.must(amount.currency() == self.currency, field, "must be of the currency of contract.paid");
    }

    fn positive(&mut self, field: &str, amount: Money) {
        self.currency(field, amount);
        self.must(amount.minor() > 0, field, "must be above zero");
    }

    fn between(&mut self, field: &str, amount: Money, low: i64, high: Option<i64>, description: &str) {
        self.currency(field, amount);
        let fits = amount.minor() >= low && high.is_none_or(|high| amount.minor() <= high);
        self.must(fits, field, description);
    }

    fn entries(&mut self, field: &str, count: usize) {
        self.must(count <= MAX_ENTRIES, field, "has more than 10,000 entries; join entries of one item and price");
    }

    fn days(&mut self, contract: &Contract, request: &Request) {
        let begun = contract.signed_on.max(contract.paid_on);
        self.must(
            request.requested_on >= begun,
            "request.requested_on",
            "must not be before the contract was made and paid",
        );
        self.must(request.ended_on >= begun, "request.ended_on", "must not be before the contract was made and paid");
        self.must(
            request.payout_on >= request.ended_on.max(request.requested_on),
            "request.payout_on",
            "must not be before the contract's end or the request",
        );
    }

    fn terms(&mut self, contract: &Contract) {
        let Terms { delivered, interest_rate, interest_from, cooling_off: _ } = &contract.terms;
        let field = "contract.terms.delivered";
        match *delivered {
            None => {}
            Some(DeliveredTerm::Amount(amount)) => {
                self.between(field, amount, 0, Some(contract.paid.minor()), "must be from 0 to the amount paid");
            }
            Some(DeliveredTerm::DiscountPrice | DeliveredTerm::ShareOfList(_))
                if matches!(contract.plan, Plan::Pass(_)) =>
            {
                self.wrong(field, "a pass has no price of single uses; give the amount that its clause comes to");
            }
            Some(DeliveredTerm::ShareOfList(share)) => {
                self.must(share <= Ppm::ONE, field, "must be at most 1,000,000 ppm, the list price itself");
            }
            Some(DeliveredTerm::DiscountPrice) => {}
        }
        if let Some(rate) = interest_rate {
            self.must(*rate <= Ppm::ONE, "contract.terms.interest_rate", "must be at most 1,000,000 ppm a year");
        }
        if let Some(InterestFrom::Day(day)) = interest_from {
            self.must(*day >= contract.paid_on, "contract.terms.interest_from", "must not be before the payment");
        }
    }

    /// What stands beside the plan: supervised money, gifts, costs.
    fn side(&mut self, contract: &Contract, request: &Request) {
        if let Some(supervised) = contract.supervised {
            let paid = Some(contract.paid.minor());
            let description = "must be from 0 to the amount paid";
            self.between("contract.supervised.balance", supervised.balance, 0, paid, description);
            let field = "contract.supervised.rate";
            self.must(supervised.rate <= Ppm::ONE, field, "must be at most 1,000,000 ppm a year");
        }
        self.entries("contract.gifts", contract.gifts.len());
        for (n, gift) in contract.gifts.iter().enumerate() {
            self.between(&format!("contract.gifts[{n}].value"), gift.value, 0, None, "must not be below zero");
            if let GiftClaim::Decided(amount) = gift.claim {
                let value = Some(gift.value.minor());
                let description = "must be from 0 to the gift's value";
                self.between(&format!("contract.gifts[{n}].claim"), amount, 0, value, description);
            }
        }
        self.entries("request.costs", request.costs.len());
        for (n, cost) in request.costs.iter().enumerate() {
            self.positive(&format!("request.costs[{n}].amount"), cost.amount);
        }
    }

    /// A use: its day, its name and how many.
    fn had(&mut self, path: &str, contract: &Contract, request: &Request, on: Date, item: &str, quantity: u32) {
        let lived = contract.signed_on <= on && on <= request.ended_on;
        self.must(lived, &format!("{path}.on"), "must be between the contract's making and its end");
        self.must(!item.is_empty(), &format!("{path}.item"), "must name what was had");
        self.must(quantity > 0, &format!("{path}.quantity"), "must be above zero");
    }

    /// A list price with the lower prices that may stand beside it.
    fn prices(&mut self, path: &str, list: Money, discount: Option<Money>, market: Option<Money>) {
        self.between(&format!("{path}.list_price"), list, 0, None, "must not be below zero");
        let high = Some(list.minor());
        let field = |name: &str| format!("{path}.{name}");
        if let Some(discount) = discount {
            let name = if path.starts_with("contract.plan.charges") { "agreed_price" } else { "discount_price" };
            self.between(&field(name), discount, 0, high, "must be from 0 to the list price");
        }
        if let Some(market) = market {
            let low = discount.map_or(0, Money::minor);
            let description = "must be from the discount price to the list price; the nearer of them if it is outside";
            self.between(&field("market_price"), market, low, high, description);
        }
    }

    fn stored_value(&mut self, contract: &Contract, request: &Request, plan: &StoredValue) {
        self.between("contract.plan.bonus", plan.bonus, 0, None, "must not be below zero");
        self.entries("contract.plan.charges", plan.charges.len());
        let mut charged = 0_i128;
        for (n, charge) in plan.charges.iter().enumerate() {
            let path = format!("contract.plan.charges[{n}]");
            self.had(&path, contract, request, charge.on, &charge.item, charge.quantity);
            self.prices(&path, charge.list_price, Some(charge.agreed_price), charge.market_price);
            charged = charged.saturating_add(product(charge.agreed_price, charge.quantity));
        }
        let card = i128::from(contract.paid.minor()) + i128::from(plan.bonus.minor());
        self.must(
            charged <= card,
            "contract.plan.charges",
            "come to more than the prepayment and its bonus; leave out what was paid in another way",
        );
    }

    fn package(&mut self, contract: &Contract, request: &Request, plan: &Package) {
        let paid = i128::from(contract.paid.minor());
        let items = &plan.items;
        self.must(!items.is_empty(), "contract.plan.items", "must be one at least");
        self.entries("contract.plan.items", items.len());
        let (mut list, mut discount) = (0_i128, 0_i128);
        let mut names = BTreeSet::new();
        for (n, item) in items.iter().enumerate() {
            let path = format!("contract.plan.items[{n}]");
            let name = item.name.as_str();
            self.must(!name.is_empty() && names.insert(name), &format!("{path}.name"), "must be there, once");
            self.must(item.quantity > 0, &format!("{path}.quantity"), "must be above zero");
            self.prices(&path, item.list_price, item.discount_price, item.market_price);
            list = list.saturating_add(product(item.list_price, item.quantity));
            discount = discount.saturating_add(item.discount_price.map_or(0, |price| product(price, item.quantity)));
        }
        self.must(list >= paid, "contract.plan.items", "come to less than the amount paid at their list prices");
        match items.iter().filter(|item| item.discount_price.is_some()).count() {
            0 => self.market_above_spread(plan, paid, list),
            stated => {
                let whole = stated == items.len() && discount == paid;
                let description = "state discount prices for all items, together the amount paid, or for none";
                self.must(whole, "contract.plan.items", description);
            }
        }
        self.uses(contract, request, plan);
    }

    /// Without stated discount prices an item's is its list price × paid ÷ the list price of all.
    fn market_above_spread(&mut self, plan: &Package, paid: i128, list: i128) {
        for (n, item) in plan.items.iter().enumerate() {
            let Some(market) = item.market_price else { continue };
            let at_market = i128::from(market.minor()).saturating_mul(list);
            let at_discount = i128::from(item.list_price.minor()).saturating_mul(paid);
            self.must(
                at_market >= at_discount,
                &format!("contract.plan.items[{n}].market_price"),
                "must not be below the discount price, which is the list price × paid ÷ the list price of all",
            );
        }
    }

    fn uses(&mut self, contract: &Contract, request: &Request, plan: &Package) {
        self.entries("contract.plan.uses", plan.uses.len());
        let mut left: BTreeMap<&str, i64> =
            plan.items.iter().map(|item| (item.name.as_str(), i64::from(item.quantity))).collect();
        for (n, one) in plan.uses.iter().enumerate() {
            let path = format!("contract.plan.uses[{n}]");
            self.had(&path, contract, request, one.on, &one.item, one.quantity);
            match left.get_mut(one.item.as_str()) {
                None => self.wrong(format!("{path}.item"), "must be an item of the package"),
                Some(left) => {
                    *left -= i64::from(one.quantity);
                    let fits = *left >= 0;
                    self.must(fits, &format!("{path}.quantity"), "is more than is left of the item");
                }
            }
        }
    }

    fn pass(&mut self, contract: &Contract, request: &Request, plan: &Pass) {
        let term = plan.term;
        self.must(term.first >= contract.signed_on, "contract.plan.term", "must not begin before the contract");
        if !self.in_order("contract.plan.term", term) {
            return;
        }
        self.entries("contract.plan.frozen", plan.frozen.len());
        let mut sound = true;
        let mut free_from = term.first;
        for (n, frozen) in plan.frozen.iter().enumerate() {
            let field = format!("contract.plan.frozen[{n}]");
            let apart = frozen.first >= free_from && frozen.last <= term.last;
            self.must(apart, &field, "must lie within the term, after the one before");
            sound &= self.in_order(&field, *frozen) && apart;
            free_from = frozen.last.tomorrow().unwrap_or(Date::MAX);
        }
        if sound && days_until(plan, term.last) <= 0 {
            self.wrong("contract.plan.frozen", "must leave a day of the term at least");
        }
        if let Some(stopped) = plan.stopped_on {
            let field = "contract.plan.stopped_on";
            self.must(stopped >= contract.signed_on, field, "must not be before the contract was made");
            self.must(stopped <= request.ended_on, field, "must not be after the contract's end; else leave it out");
        }
    }

    fn in_order(&mut self, field: &str, days: Days) -> bool {
        self.must(days.first <= days.last, field, "must not end before it begins");
        days.first <= days.last
    }
}

fn product(price: Money, quantity: u32) -> i128 {
    i128::from(price.minor()) * i128::from(quantity)
}
