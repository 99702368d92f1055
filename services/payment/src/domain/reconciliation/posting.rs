//! What is booked of a bill and its breaks.

use kernel::{Error, Money, Result, Uuid, ids::StoreId};

use super::{Break, Resolution};
use crate::domain::ledger::{Account, Entry, Kind, Party, SubAccount, Transaction};

/// What the breaks of a bill say, store by store: into suspense, so that the receivable is what the provider says. `None`
/// if they are about no money.
///
/// # Errors
/// Internal, if there is an amount that can't be booked.
pub fn found(proof: Uuid, provider: &str, differences: &[(Option<StoreId>, Money)]) -> Result<Option<Transaction>> {
    between(Kind::BreaksFound, proof, differences, |store| {
        (at(Account::ProviderReceivable, store).of(Party::named_provider(provider)), at(Account::Suspense, store))
    })
}

/// What a provider keeps for itself, store by store; below zero where it gave more back. `None` if it is nothing.
///
/// # Errors
/// As [`found`].
pub fn fees(proof: Uuid, provider: &str, fees: &[(Option<StoreId>, Money)]) -> Result<Option<Transaction>> {
    let party = || Party::named_provider(provider);
    between(Kind::ProviderFees, proof, fees, |store| {
        (at(Account::ProviderFees, store).of(party()), at(Account::ProviderReceivable, store).of(party()))
    })
}

/// What leaves suspense when a break is worked off; `None` if it is about no money.
///
/// # Errors
/// `MONEY_UNEXPLAINED` if a break about money shall be settled without any.
pub fn settled(of: &Break, how: Resolution) -> Result<Option<Transaction>> {
    let counter = match how {
        Resolution::Arrived | Resolution::BookedHere | Resolution::CorrectedThere => {
            at(Account::ProviderReceivable, of.store).of(Party::named_provider(&of.name.day.provider))
        }
        Resolution::WrittenOff => at(Account::ReconciliationDifferences, of.store),
        Resolution::Explained if of.difference.is_zero() => return Ok(None),
        Resolution::Explained => {
            let message = "this break is about money: say what became of it";
            return Err(Error::precondition("MONEY_UNEXPLAINED", message).with("difference", of.difference));
        }
    };
    let suspense = at(Account::Suspense, of.store);
    between(Kind::BreakSettled, of.name.id(), &[(of.store, of.difference)], |_| (suspense.clone(), counter.clone()))
}

/// Debits one and credits the other; amounts below zero the other way round.
fn between(
    kind: Kind,
    source: Uuid,
    amounts: &[(Option<StoreId>, Money)],
    sides: impl Fn(Option<StoreId>) -> (SubAccount, SubAccount),
) -> Result<Option<Transaction>> {
    let mut entries = Vec::new();
    for (store, amount) in amounts.iter().filter(|(_, amount)| !amount.is_zero()) {
        let (debit, credit) = sides(*store);
        let other = Money::zero(amount.currency()).try_sub(*amount)?;
        entries.extend([Entry { on: debit, amount: *amount }, Entry { on: credit, amount: other }]);
    }
    if entries.is_empty() { Ok(None) } else { Transaction::try_new(kind, source, entries).map(Some) }
}

fn at(account: Account, store: Option<StoreId>) -> SubAccount {
    store.map_or_else(|| account.at_head_office(), |store| account.at(store))
}

#[cfg(test)]
mod tests {
    use kernel::{Currency, Timestamp};

    use super::*;
    use crate::domain::reconciliation::{BreakKind, BreakName};

    fn cny(minor: i64) -> Money {
        Money::new(minor, Currency::CNY)
    }

    fn broken(difference: i64) -> Break {
        Break {
            proof: Uuid::nil(),
            name: BreakName::parse("name", "providers/wechat/dayProofs/2026-11-22/breaks/1").expect("a name"),
            kind: BreakKind::Amount,
            payment: None,
            refund: None,
            reference: String::new(),
            transaction: String::new(),
            store: Some(StoreId::from_uuid(Uuid::from_u128(1))),
            ours: None,
            theirs_minor: None,
            theirs_currency: None,
            difference: cny(difference),
            resolved: None,
            create_time: Timestamp::UNIX_EPOCH,
        }
    }

    fn sums(transactions: &[Option<Transaction>]) -> Vec<(Account, i64)> {
        let entries = transactions.iter().flatten().flat_map(Transaction::entries);
        let mut sums = std::collections::BTreeMap::new();
        entries.for_each(|entry| *sums.entry(entry.on.account).or_default() += entry.amount.minor());
        sums.into_iter().filter(|(_, sum)| *sum != 0).collect()
    }

    #[test]
    fn what_was_found_leaves_suspense_whichever_way_it_is_settled() {
        for minor in [-700, 700] {
            let of = broken(minor);
            let found = found(Uuid::nil(), "wechat", &[(of.store, of.difference)]).expect("booked");
            let there = [(Account::ProviderReceivable, minor), (Account::Suspense, -minor)];
            assert_eq!(sums(std::slice::from_ref(&found)), there);
            for how in [Resolution::Arrived, Resolution::BookedHere, Resolution::CorrectedThere] {
                assert_eq!(sums(&[found.clone(), settled(&of, how).expect("booked")]), [], "{how:?}");
            }
            let off = settled(&of, Resolution::WrittenOff).expect("booked");
            let there = [(Account::ProviderReceivable, minor), (Account::ReconciliationDifferences, -minor)];
            assert_eq!(sums(&[found, off]), there);
            let error = settled(&of, Resolution::Explained).expect_err("about money");
            assert_eq!(error.reason(), "MONEY_UNEXPLAINED");
        }
        assert_eq!(settled(&broken(0), Resolution::Explained).expect("nothing to book"), None);
        assert_eq!(settled(&broken(0), Resolution::WrittenOff).expect("nothing to book"), None);
    }

    #[test]
    fn fees_are_booked_store_by_store() {
        let store = StoreId::from_uuid(Uuid::from_u128(1));
        let amounts =
            [(Some(store), cny(36)), (None, cny(-12)), (Some(StoreId::from_uuid(Uuid::from_u128(2))), cny(0))];
        let booked = fees(Uuid::nil(), "wechat", &amounts).expect("booked").expect("something");
        assert_eq!(booked.entries().len(), 4);
        assert_eq!(sums(&[Some(booked)]), [(Account::ProviderReceivable, -24), (Account::ProviderFees, 24)]);
        assert_eq!(fees(Uuid::nil(), "wechat", &[]).expect("nothing"), None);
    }
}
