//! What is booked about a contract.

use jiff::civil::Date;
use kernel::{Error, Money, Result, ids::StoreId};

use super::{Contract, contract::length};
use crate::domain::{
    ledger::{Account, Entry, Kind, SubAccount, Transaction},
    refund_law::Days,
};

/// A session is had at `store`: what it is worth turns from debt into takings there. Where that is not the store that
/// sold it, the two owe each other.
///
/// # Errors
/// Internal, unless the value is above zero.
pub fn delivered(contract: &Contract, of: &super::Use) -> Result<Transaction> {
    let transaction = Transaction::try_new(Kind::ContractUse, of.source(), earned(contract, of.store, of.value)?)?;
    Ok(transaction.of_order(contract.order))
}

/// A session that was had is given back: what it is worth is owed again, and no takings any more.
///
/// # Errors
/// Internal, unless the value is above zero.
pub fn taken_back(contract: &Contract, of: &super::Use) -> Result<Transaction> {
    let nothing = Money::zero(of.value.currency());
    let back = |entry: Entry| Ok(Entry { amount: nothing.try_sub(entry.amount)?, ..entry });
    let entries = earned(contract, of.store, of.value)?.into_iter().map(back).collect::<Result<_>>()?;
    Ok(Transaction::try_new(Kind::UseReturned, of.source(), entries)?.of_order(contract.order))
}

fn earned(contract: &Contract, store: StoreId, value: Money) -> Result<Vec<Entry>> {
    let mut entries = vec![Entry::debit(debt(contract), value)?, Entry::credit(Account::Takings.at(store), value)?];
    if store != contract.store {
        entries.push(Entry::credit(Account::StoreClearing.at(contract.store), value)?);
        entries.push(Entry::debit(Account::StoreClearing.at(store), value)?);
    }
    Ok(entries)
}

fn debt(contract: &Contract) -> SubAccount {
    Account::PrepaidLiability.at(contract.store).of(contract.id)
}

/// What the days up to and with `last` are worth that were not yet earned, of a contract for a time; `None` if nothing.
///
/// # Errors
/// `AMOUNT_OVERFLOW`; internal, if the contract was never paid.
pub fn time(contract: &Contract, last: Date) -> Result<Option<(Money, Transaction)>> {
    let (Some(start), Some(end), true) = (contract.start, contract.end, contract.terms.is_pass()) else {
        return Ok(None);
    };
    let counted = |until: Date| {
        let until = until.min(end);
        let frozen = contract.frozen.iter().map(|days| length(Days { last: days.last.min(until), ..*days }));
        (length(Days { first: start, last: until }) - frozen.sum::<i64>()).max(0)
    };
    let (passed, all) = (counted(last), counted(end));
    let price = contract.terms.price;
    let exact = i128::from(price.minor()) * i128::from(passed);
    let earned = exact.checked_div(i128::from(all)).ok_or_else(|| Error::internal("a pass without days"))?;
    let earned = Money::new(i64::try_from(earned).map_err(Error::internal)?, price.currency());
    // An extension spreads what is left over more days; what was earned stays so.
    let more = earned.try_sub(contract.recognised)?;
    if more.minor() <= 0 {
        return Ok(None);
    }
    let source = kernel::ids::derive(contract.id.uuid(), &format!("time at {}", contract.recognised.minor()));
    let transaction =
        Transaction::moving(Kind::ContractTime, source, debt(contract), Account::Takings.at(contract.store), more)?;
    Ok(Some((more, transaction.of_order(contract.order))))
}

/// What nobody will ask for any more.
///
/// # Errors
/// Internal, unless something is still owed.
pub fn breakage(contract: &Contract) -> Result<Transaction> {
    let (owed, to) = (contract.owed()?, Account::Breakage.at(contract.store));
    let source = kernel::ids::derive(contract.id.uuid(), &format!("breakage at {}", contract.recognised.minor()));
    Ok(Transaction::moving(Kind::Breakage, source, debt(contract), to, owed)?.of_order(contract.order))
}

/// How the end of a contract is paid and booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// What goes back to where it was paid from.
    pub to_sources: Money,
    /// What of the price goes back by hand, since it can't or must not go back there.
    pub at_desk: Money,
    /// What is above all that was paid; it goes back by hand, too.
    pub beyond_sources: Money,
    /// Makes the debt what goes back to the sources, and what goes back by hand a debt of its own; `None` if nothing is to be
    /// booked.
    pub booking: Option<Transaction>,
}

impl Settlement {
    /// What of the price goes back, by whichever way.
    ///
    /// # Errors
    /// `AMOUNT_OVERFLOW`.
    pub fn of_price(&self) -> Result<Money> {
        self.to_sources.try_add(self.at_desk)
    }

    /// What goes back by hand.
    ///
    /// # Errors
    /// `AMOUNT_OVERFLOW`.
    pub fn by_hand(&self) -> Result<Money> {
        self.at_desk.try_add(self.beyond_sources)
    }
}

/// The end of a contract that gives back `refund`, of which `sources` at most can go back to where it was paid from. Nothing
/// does if the contract was handed over: what is left is its holder's (Art. 11), and who bought it has not asked for it.
///
/// What was earned by the sessions' values and what the law takes for them differ: the law takes the list price if the
/// consumer is the cause. The difference is takings, or less of them. What was breakage is taken from there first.
///
/// # Errors
/// `AMOUNT_OVERFLOW`; internal for a refund below zero.
pub fn settle(contract: &Contract, refund: Money, sources: Money) -> Result<Settlement> {
    let price = contract.terms.price;
    let nothing = Money::zero(price.currency());
    let smaller = |a: Money, b: Money| if b.minor() < a.minor() { b } else { a };
    let of_price = smaller(refund, price);
    let beyond_sources = refund.try_sub(of_price)?;
    let sources = if contract.holder == contract.buyer { sources } else { nothing };
    let to_sources = smaller(of_price, sources);
    let at_desk = of_price.try_sub(to_sources)?;
    let by_hand = at_desk.try_add(beyond_sources)?;
    let owed = contract.owed()?;

    let mut entries = Vec::new();
    if owed.minor() > to_sources.minor() {
        entries.push(Entry::debit(debt(contract), owed.try_sub(to_sources)?)?);
    } else if owed.minor() < to_sources.minor() {
        entries.push(Entry::credit(debt(contract), to_sources.try_sub(owed)?)?);
    }
    if !by_hand.is_zero() {
        let owed_to = Account::RefundsPayable.at(contract.store).of(contract.holder);
        entries.push(Entry::credit(owed_to, by_hand)?);
    }
    // What the others leave open: above zero is debited so far, and is earned.
    let open = Money::try_sum(price.currency(), entries.iter().map(|entry| entry.amount))?;
    let taken_back = smaller(nothing.try_sub(open)?, contract.breakage);
    let rest = if taken_back.minor() > 0 {
        entries.push(Entry::debit(Account::Breakage.at(contract.store), taken_back)?);
        open.try_add(taken_back)?
    } else {
        open
    };
    let takings = Account::Takings.at(contract.store);
    if rest.minor() > 0 {
        entries.push(Entry::credit(takings, rest)?);
    } else if rest.is_negative() {
        entries.push(Entry::debit(takings, nothing.try_sub(rest)?)?);
    }
    let booking = match entries.is_empty() {
        true => None,
        false => Some(Transaction::try_new(Kind::ContractSettled, contract.id, entries)?.of_order(contract.order)),
    };
    Ok(Settlement { to_sources, at_desk, beyond_sources, booking })
}
