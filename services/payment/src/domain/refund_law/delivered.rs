//! The price of what was delivered (Art. 15 ¶1, 18, 19, 20).

use jiff::civil::Date;
use kernel::{Currency, Error, Money, Result};

use super::{
    amount::{Ratio, Running, negative},
    cause::Attribution,
    citation::Source,
    contract::{Contract, DeliveredTerm, Package, Plan, StoredValue},
    explain::{Label, Line, Note, NoteLabel, Operand},
    pass,
    rate::Ppm,
    request::Request,
};

/// Lines that take the price of what was delivered from the prepayment; never more than all of it.
pub(super) fn lines(
    contract: &Contract,
    request: &Request,
    attribution: Attribution,
    notes: &mut Vec<Note>,
) -> Result<Vec<Line>> {
    let mut lines = match &contract.plan {
        Plan::StoredValue(plan) => {
            priced(contract, attribution, &charged(plan), stored_value(contract.paid, plan)?, notes)?
        }
        Plan::Package(plan) => priced(contract, attribution, &used(plan)?, package(contract.paid, plan)?, notes)?,
        Plan::Pass(plan) => {
            let passed = pass::lines(contract.paid, plan, request.ended_on, notes)?;
            agreed_amount_or(contract, Source::CivilCode509, passed, notes)?
        }
    };
    lines.extend(excess(contract.paid, &lines)?);
    Ok(lines)
}

/// A use with every price that may count. Prices are of one.
struct Had<'a> {
    on: Date,
    item: &'a str,
    quantity: u32,
    list: Money,
    /// `None`: the list price, which the scheme's ratio turns into the discount price.
    discount: Option<Money>,
    market: Option<Money>,
}

/// Which price of a use counts, and at which ratio.
#[derive(Clone, Copy)]
struct Scheme {
    price: Price,
    ratio: Ratio,
    label: Label,
    source: Source,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Price {
    Discount,
    List,
    ListOrMarket,
}

impl Scheme {
    /// Art. 19 ¶1; for single uses ¶2.
    const LIST: Self =
        Self { price: Price::ListOrMarket, ratio: Ratio::ONE, label: Label::DeliveredAtList, source: Source::Art19P1 };

    fn share_of_list(Ppm(share): Ppm, source: Source) -> Self {
        let ratio = Ratio { part: i64::from(share), whole: i64::from(Ppm::ONE.0) };
        Self { price: Price::List, ratio, label: Label::DeliveredAtAgreedShare, source }
    }

    fn unit(self, had: &Had<'_>) -> Money {
        match self.price {
            Price::Discount => had.discount.unwrap_or(had.list),
            Price::List => had.list,
            Price::ListOrMarket => had.market.unwrap_or(had.list),
        }
    }

    fn total(self, had: &[Had<'_>]) -> Result<i64> {
        let mut running = Running::down(self.ratio);
        for one in had {
            running.add(i128::from(self.unit(one).minor()) * i128::from(one.quantity))?;
        }
        Ok(running.total())
    }

    fn lines(self, had: &[Had<'_>], currency: Currency) -> Result<Vec<Line>> {
        let mut running = Running::down(self.ratio);
        had.iter()
            .map(|one| {
                let unit = self.unit(one);
                let part = running.add(i128::from(unit.minor()) * i128::from(one.quantity))?;
                let at_market = self.price == Price::ListOrMarket && one.market.is_some();
                let (label, source) =
                    if at_market { (Label::DeliveredAtMarket, Source::Art19P2) } else { (self.label, self.source) };
                Ok(Line {
                    label,
                    amount: negative(Money::new(part, currency))?,
                    operands: self.operands(one, unit),
                    source,
                })
            })
            .collect()
    }

    fn operands(self, had: &Had<'_>, unit: Money) -> Vec<Operand> {
        let mut operands = vec![
            Operand::new("day", had.on),
            Operand::new("item", had.item),
            Operand::new("price", unit),
            Operand::new("quantity", i64::from(had.quantity)),
        ];
        match self.label {
            Label::DeliveredAtDiscount | Label::DeliveredAtRatio => {
                operands.push(Operand::new("part", Money::new(self.ratio.part, unit.currency())));
                operands.push(Operand::new("whole", Money::new(self.ratio.whole, unit.currency())));
            }
            Label::DeliveredAtAgreedShare => {
                // It came from a `Ppm` and fits one.
                let share = u32::try_from(self.ratio.part).unwrap_or(Ppm::ONE.0);
                operands.push(Operand::new("share", Ppm(share)));
            }
            _ => {}
        }
        operands
    }
}

/// Art. 18 ¶1: the price the card was charged with; with bonus money at paid ÷ (paid + bonus).
fn stored_value(paid: Money, plan: &StoredValue) -> Result<Scheme> {
    if plan.bonus.is_zero() {
        return Ok(Scheme {
            price: Price::Discount,
            ratio: Ratio::ONE,
            label: Label::DeliveredAtDiscount,
            source: Source::Art18P1Item1,
        });
    }
    let ratio = Ratio { part: paid.minor(), whole: paid.try_add(plan.bonus)?.minor() };
    Ok(Scheme { price: Price::Discount, ratio, label: Label::DeliveredAtRatio, source: Source::Art18P1Item2 })
}

/// Art. 18 ¶1 item 1: the stated discount prices; without them the amount paid spread by list price.
fn package(paid: Money, plan: &Package) -> Result<Scheme> {
    let ratio = if plan.items.iter().all(|item| item.discount_price.is_some()) {
        Ratio::ONE
    } else {
        let prices = plan.items.iter().map(|item| item.list_price.try_mul(i64::from(item.quantity)));
        let all = prices.collect::<Result<Vec<_>>>()?;
        Ratio { part: paid.minor(), whole: Money::try_sum(paid.currency(), all)?.minor() }
    };
    Ok(Scheme { price: Price::Discount, ratio, label: Label::DeliveredAtDiscount, source: Source::Art18P1Item1 })
}

fn charged(plan: &StoredValue) -> Vec<Had<'_>> {
    let had = plan.charges.iter().map(|charge| Had {
        on: charge.on,
        item: &charge.item,
        quantity: charge.quantity,
        list: charge.list_price,
        discount: Some(charge.agreed_price),
        market: charge.market_price,
    });
    had.collect()
}

fn used(plan: &Package) -> Result<Vec<Had<'_>>> {
    let had = plan.uses.iter().map(|one| {
        let item = plan.items.iter().find(|item| item.name == one.item);
        let item = item.ok_or_else(|| Error::internal("a use of an unknown item was not refused"))?;
        Ok(Had {
            on: one.on,
            item: &one.item,
            quantity: one.quantity,
            list: item.list_price,
            discount: item.discount_price,
            market: item.market_price,
        })
    });
    had.collect()
}

/// What the law says, or the contract if that is better for the consumer (Art. 18 ¶2, 19 ¶3).
fn priced(
    contract: &Contract,
    attribution: Attribution,
    had: &[Had<'_>],
    discount: Scheme,
    notes: &mut Vec<Note>,
) -> Result<Vec<Line>> {
    let (by_law, better) = match attribution {
        Attribution::Consumer => (Scheme::LIST, Source::Art19P3),
        Attribution::Merchant | Attribution::Neither => (discount, Source::Art18P2),
    };
    let currency = contract.paid.currency();
    let agreed = match contract.terms.delivered {
        None => return by_law.lines(had, currency),
        Some(DeliveredTerm::Amount(_)) => {
            return agreed_amount_or(contract, better, by_law.lines(had, currency)?, notes);
        }
        Some(DeliveredTerm::DiscountPrice) => Scheme { source: better, ..discount },
        Some(DeliveredTerm::ShareOfList(share)) => Scheme::share_of_list(share, better),
    };
    let (total_by_law, total_agreed) = (by_law.total(had)?, agreed.total(had)?);
    if total_agreed < total_by_law {
        return agreed.lines(had, currency);
    }
    notes.push(not_better(better, Money::new(total_by_law, currency), Money::new(total_agreed, currency)));
    by_law.lines(had, currency)
}

/// The agreed amount, if there is one and it is better for the consumer; else the lines of the law.
fn agreed_amount_or(
    contract: &Contract,
    source: Source,
    by_law: Vec<Line>,
    notes: &mut Vec<Note>,
) -> Result<Vec<Line>> {
    let Some(DeliveredTerm::Amount(agreed)) = contract.terms.delivered else {
        return Ok(by_law);
    };
    let total = total(agreed.currency(), &by_law)?;
    if agreed.minor() < total.minor() {
        let operands = vec![Operand::new("agreed", agreed), Operand::new("by_law", total)];
        return Ok(vec![Line { label: Label::DeliveredAtAgreedAmount, amount: negative(agreed)?, operands, source }]);
    }
    notes.push(not_better(source, total, agreed));
    Ok(by_law)
}

fn not_better(source: Source, by_law: Money, agreed: Money) -> Note {
    let operands = vec![Operand::new("by_law", by_law), Operand::new("agreed", agreed)];
    Note { label: NoteLabel::TermNotBetter, operands, source }
}

/// What lines take away together.
fn total(currency: Currency, lines: &[Line]) -> Result<Money> {
    negative(Money::try_sum(currency, lines.iter().map(|line| line.amount))?)
}

/// Art. 20: what was delivered may come to more than was paid; the consumer doesn't owe the difference.
///
/// By the discount price it never does: input that says so is refused.
fn excess(paid: Money, lines: &[Line]) -> Result<Option<Line>> {
    let delivered = total(paid.currency(), lines)?;
    let amount = delivered.try_sub(paid)?;
    if amount.minor() <= 0 {
        return Ok(None);
    }
    let operands = vec![Operand::new("delivered", delivered), Operand::new("paid", paid)];
    Ok(Some(Line { label: Label::ExcessNotOwed, amount, operands, source: Source::Art20 }))
}
