//! A balanced set of entries.

use std::collections::BTreeMap;

use kernel::{
    Currency, Error, Money, Result, Uuid,
    ids::{OrderId, StoreId},
};

use super::{Account, Kind, Party, SubAccount};

/// One side of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is on.
    pub on: SubAccount,
    /// A debit is above zero, a credit below.
    pub amount: Money,
}

impl Entry {
    /// A debit of `amount`.
    ///
    /// # Errors
    /// Internal, unless the amount is above zero.
    pub fn debit(on: SubAccount, amount: Money) -> Result<Self> {
        above_zero(&on, amount)?;
        Ok(Self { on, amount })
    }

    /// A credit of `amount`.
    ///
    /// # Errors
    /// Internal, unless the amount is above zero.
    pub fn credit(on: SubAccount, amount: Money) -> Result<Self> {
        above_zero(&on, amount)?;
        Ok(Self { on, amount: Money::zero(amount.currency()).try_sub(amount)? })
    }
}

fn above_zero(on: &SubAccount, amount: Money) -> Result<()> {
    if amount.minor() > 0 { Ok(()) } else { Err(Error::internal(format!("{amount} can't be booked on {on}"))) }
}

/// A balanced set of entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    kind: Kind,
    source: Uuid,
    order: Option<OrderId>,
    entries: Vec<Entry>,
}

impl Transaction {
    /// A transaction of `kind` about `source` (a payment, refund, order …), which has at most one of that kind.
    ///
    /// # Errors
    /// Internal, if there are fewer than two entries, one is zero, one names a party against the chart, or those of one
    /// store and currency don't add up to zero.
    pub fn try_new(kind: Kind, source: impl Into<Uuid>, entries: Vec<Entry>) -> Result<Self> {
        let unfit = |what: &str| Error::internal(format!("ledger transaction of kind {}: {what}", kind.as_str()));
        if entries.len() < 2 {
            return Err(unfit("has fewer than two entries"));
        }
        let mut sums: BTreeMap<(Option<StoreId>, Currency), Money> = BTreeMap::new();
        for Entry { on, amount } in &entries {
            if amount.is_zero() {
                return Err(unfit("has an entry of zero"));
            }
            if on.party.is_some() != on.account.party().is_some() {
                return Err(unfit(&format!("names a party against the chart, or names none: {on}")));
            }
            let sum = sums.entry((on.store, amount.currency())).or_insert(Money::zero(amount.currency()));
            *sum = sum.try_add(*amount)?;
        }
        if sums.values().any(|sum| !sum.is_zero()) {
            return Err(unfit("does not balance"));
        }
        Ok(Self { kind, source: source.into(), order: None, entries })
    }

    /// Moves `amount`, above zero: debits one sub-account and credits the other.
    ///
    /// # Errors
    /// As [`try_new`](Self::try_new).
    pub fn moving(
        kind: Kind,
        source: impl Into<Uuid>,
        debit: SubAccount,
        credit: SubAccount,
        amount: Money,
    ) -> Result<Self> {
        Self::try_new(kind, source, vec![Entry::debit(debit, amount)?, Entry::credit(credit, amount)?])
    }

    /// The same, noted as being of an order.
    #[must_use]
    pub fn of_order(self, order: OrderId) -> Self {
        Self { order: Some(order), ..self }
    }

    /// Why it is booked.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What it is about.
    pub fn source(&self) -> Uuid {
        self.source
    }

    /// The order that it is of, if it is of one.
    pub fn order(&self) -> Option<OrderId> {
        self.order
    }

    /// Its sides; two at least.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What it adds to what each checked sub-account owes, taken together over its entries.
    ///
    /// # Errors
    /// `AMOUNT_OVERFLOW`.
    pub fn owed(&self) -> Result<BTreeMap<OwedKey, i64>> {
        let mut owed = BTreeMap::new();
        for Entry { on, amount } in self.entries.iter().filter(|entry| entry.on.account.is_checked()) {
            // The chart names a party for every checked account.
            let Some(party) = on.party.clone() else { continue };
            let key = OwedKey { account: on.account, party, currency: amount.currency() };
            let sum = owed.entry(key).or_insert(Money::zero(amount.currency()));
            *sum = sum.try_sub(*amount)?;
        }
        Ok(owed.into_iter().map(|(key, sum)| (key, sum.minor())).filter(|(_, minor)| *minor != 0).collect())
    }
}

/// What has one row of what is owed: a checked account, a party and a currency, over all stores. The order is that in
/// which rows are locked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OwedKey {
    /// The account.
    pub account: Account,
    /// Who is owed.
    pub party: Party,
    /// In what.
    pub currency: Currency,
}

#[cfg(test)]
mod tests {
    use kernel::{Timestamp, ids::MemberId};
    use proptest::prelude::*;

    use super::*;

    fn cny(minor: i64) -> Money {
        Money::new(minor, Currency::CNY)
    }

    fn store(n: u128) -> StoreId {
        StoreId::from_uuid(Uuid::from_u128(n))
    }

    fn drawer(minor: i64) -> Entry {
        Entry { on: Account::CashDrawer.at(store(1)), amount: cny(minor) }
    }

    fn takings(minor: i64) -> Entry {
        Entry { on: Account::Takings.at(store(1)), amount: cny(minor) }
    }

    fn make(entries: Vec<Entry>) -> Result<Transaction> {
        Transaction::try_new(Kind::Capture, Uuid::nil(), entries)
    }

    #[test]
    fn only_balanced_transactions_exist() {
        let jpy = Currency::parse("currency", "JPY").expect("known");
        let in_yen = Entry { amount: Money::new(-100, jpy), ..takings(-100) };
        let elsewhere = Entry { on: Account::Takings.at(store(2)), ..takings(-100) };
        let at_head_office = Entry { on: Account::Takings.at_head_office(), ..takings(-100) };
        assert!(make(vec![drawer(100), takings(-100)]).is_ok());
        assert!(make(vec![drawer(100), takings(-60), takings(-40)]).is_ok());
        assert!(make(vec![]).is_err());
        assert!(make(vec![drawer(100)]).is_err());
        assert!(make(vec![drawer(100), takings(-99)]).is_err());
        assert!(make(vec![drawer(0), takings(0)]).is_err());
        assert!(make(vec![drawer(100), in_yen]).is_err());
        assert!(make(vec![drawer(100), elsewhere]).is_err());
        assert!(make(vec![drawer(100), at_head_office]).is_err());
        assert!(make(vec![drawer(i64::MAX), drawer(1), takings(i64::MIN)]).is_err());
    }

    #[test]
    fn a_party_is_named_where_the_chart_says_so() {
        let member = MemberId::new(Timestamp::UNIX_EPOCH);
        let deposits = |on: SubAccount| Entry { on, amount: cny(-100) };
        assert!(make(vec![drawer(100), deposits(Account::CustomerDeposits.at(store(1)).of(member))]).is_ok());
        assert!(make(vec![drawer(100), deposits(Account::CustomerDeposits.at(store(1)))]).is_err());
        assert!(make(vec![drawer(100), deposits(Account::Takings.at(store(1)).of(member))]).is_err());
    }

    #[test]
    fn nothing_runs_backwards() {
        let moving = |minor| {
            let (from, to) = (Account::CashDrawer.at(store(1)), Account::Takings.at(store(1)));
            Transaction::moving(Kind::Capture, Uuid::nil(), from, to, cny(minor))
        };
        assert!(moving(1).is_ok());
        for minor in [0, -1, i64::MIN] {
            assert!(moving(minor).is_err(), "{minor}");
        }
    }

    proptest! {
        #[test]
        fn whatever_exists_balances(amounts in prop::collection::vec((0_u128..3, -5_i64..5, prop::bool::ANY), 0..8)) {
            let entries: Vec<Entry> = amounts
                .iter()
                .map(|&(at, minor, cash)| {
                    let account = if cash { Account::CashDrawer } else { Account::Takings };
                    Entry { on: account.at(store(at)), amount: cny(minor) }
                })
                .collect();
            let mut sums = BTreeMap::new();
            for (at, minor, _) in &amounts {
                *sums.entry(at).or_insert(0) += minor;
            }
            let fits = amounts.len() >= 2 && amounts.iter().all(|a| a.1 != 0) && sums.values().all(|sum| *sum == 0);
            prop_assert_eq!(make(entries).is_ok(), fits);
        }

        #[test]
        fn what_is_owed_is_what_was_credited(amounts in prop::collection::vec((0_u128..3, 1_i64..100, prop::bool::ANY), 1..8)) {
            let mut entries = Vec::new();
            let mut expected = BTreeMap::new();
            for &(card, minor, up) in &amounts {
                let sign = if up { -1 } else { 1 };
                let card = Party::new("cards", Uuid::from_u128(card));
                let on = Account::StoredValuePrincipal.at(store(1)).of(card.clone());
                entries.push(Entry { on, amount: cny(minor * sign) });
                entries.push(drawer(-minor * sign));
                *expected.entry(card.name().to_owned()).or_insert(0) -= minor * sign;
            }
            expected.retain(|_, minor| *minor != 0);
            let owed = make(entries).and_then(|transaction| transaction.owed()).expect("it balances");
            let owed: BTreeMap<String, i64> = owed.into_iter().map(|(k, minor)| (k.party.name().to_owned(), minor)).collect();
            prop_assert_eq!(owed, expected);
        }
    }
}
