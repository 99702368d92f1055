//! Tips: orders whose money is owed to therapists, line by line.

use kernel::{Error, Money, Result, ids::TherapistId};

use super::{Line, Order, State};
use crate::domain::{
    Subject,
    ledger::{Account, Entry, SubAccount, Transaction},
};

/// The most therapists that share a tip.
pub const MAX_RECIPIENTS: usize = 10;

/// The lines of a tip that several share evenly; what is left over goes to the first ones.
///
/// # Errors
/// `InvalidArgument` if the amount is not above zero, somebody is named twice, or would get nothing.
pub fn tip_lines(amount: Money, therapists: &[TherapistId]) -> Result<Vec<Line>> {
    if therapists.is_empty() || therapists.len() > MAX_RECIPIENTS {
        return Err(Error::invalid("therapists", format!("must be 1 to {MAX_RECIPIENTS}")));
    }
    for (i, therapist) in therapists.iter().enumerate() {
        if therapists.iter().take(i).any(|other| other == therapist) {
            return Err(Error::invalid(format!("therapists[{i}]"), "is there already; name everybody once"));
        }
    }
    if amount.minor() < i64::try_from(therapists.len()).unwrap_or(i64::MAX) {
        return Err(Error::invalid("amount", "must be at least one minor unit for each therapist"));
    }
    let shares = amount.split(&vec![1; therapists.len()])?;
    let line = |(therapist, amount): (&TherapistId, Money)| Line {
        item: therapist.name(),
        display_name: String::new(),
        amount,
        discount: Money::zero(amount.currency()),
        amendment: None,
    };
    Ok(therapists.iter().zip(shares).map(line).collect())
}

impl Order {
    /// What is booked once all of it is paid: what was held for it is earned, owed to what it was paid ahead for, or owed to
    /// its therapists.
    ///
    /// # Errors
    /// Internal, if there is nothing to book.
    pub(super) fn settlement(&self) -> Result<Transaction> {
        let (kind, source) = (self.subject.settled_as(), self.recognition());
        let deposits = self.on(Account::CustomerDeposits);
        let booked = if let Subject::Tip(_) = self.subject {
            let mut entries = vec![Entry::debit(deposits, self.total)?];
            for line in &self.lines {
                entries.push(Entry::credit(self.recipient(line)?, line.amount)?);
            }
            Transaction::try_new(kind, source, entries)?
        } else {
            Transaction::moving(kind, source, deposits, self.settled(), self.total)?
        };
        Ok(booked.of_order(self.id))
    }

    /// Where what is given back of an order that is paid comes from.
    ///
    /// # Errors
    /// `TIP_BY_LINE` if it is not one line of a tip.
    pub(super) fn given_back_from(&self, lines: &[(usize, Money)]) -> Result<SubAccount> {
        let Subject::Tip(_) = self.subject else { return Ok(self.settled()) };
        match lines {
            [(position, _)] => {
                let line = self.lines.get(*position);
                self.recipient(line.ok_or_else(|| Error::internal(format!("{} has no line {position}", self.id)))?)
            }
            _ => {
                Err(Error::precondition("TIP_BY_LINE", "a tip is given back one line, and so one therapist, at a time"))
            }
        }
    }

    /// That it can be ended.
    ///
    /// # Errors
    /// `TIP_PAID`: what was paid of a tip is its therapists'.
    pub(super) fn must_be_closable(&self) -> Result<()> {
        if matches!(self.subject, Subject::Tip(_)) && self.state == State::Paid {
            return Err(Error::precondition("TIP_PAID", "a tip that is paid is given back line by line"));
        }
        Ok(())
    }

    /// The account of the therapist of a line.
    fn recipient(&self, line: &Line) -> Result<SubAccount> {
        let therapist = TherapistId::parse_name("item", &line.item)
            .map_err(|error| Error::internal(format!("{} has a line for nobody: {error}", self.id)))?;
        Ok(Account::TipsPayable.at(self.store).of(therapist))
    }
}

#[cfg(test)]
mod tests {
    use kernel::{
        Currency, Timestamp, Uuid,
        ids::{MemberId, OrderId, OrderReturnId, PaymentId, StoreId, TipId},
    };

    use super::*;
    use crate::domain::{
        Keep, NewOrder, Outcome, Purpose, Tender,
        ledger::Kind,
        order::{GiveBack, TenderClass},
    };

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn cny(minor: i64) -> Money {
        Money::new(minor, Currency::CNY)
    }

    fn therapists(n: u128) -> Vec<TherapistId> {
        (1..=n).map(|id| TherapistId::from_uuid(Uuid::from_u128(id))).collect()
    }

    fn paid(minor: i64, recipients: u128) -> Outcome {
        let new = NewOrder {
            id: OrderId::new(NOW),
            subject: Subject::Tip(TipId::new(NOW)),
            customer: MemberId::new(NOW),
            store: StoreId::new(NOW),
            lines: tip_lines(cny(minor), &therapists(recipients)).expect("shared"),
            discount: cny(0),
            deposit: cny(0),
        };
        let order = Order::create(new, NOW).expect("an order").order;
        let id = PaymentId::new(NOW);
        let order = order.start_payment(id, Purpose::Balance, Tender::Cash, None, NOW).expect("started");
        order.capture(id, NOW).expect("captured")
    }

    fn on(outcome: &Outcome, account: Account) -> Vec<i64> {
        let entries = outcome.postings.iter().flat_map(Transaction::entries);
        entries.filter(|entry| entry.on.account == account).map(|entry| entry.amount.minor()).collect()
    }

    #[test]
    fn what_is_left_over_goes_to_the_first_ones() {
        let shares = |minor, n| -> Vec<i64> {
            let lines = tip_lines(cny(minor), &therapists(n)).expect("shared");
            lines.iter().map(|line| line.amount.minor()).collect()
        };
        assert_eq!((shares(1_000, 3), shares(3, 3), shares(5, 1)), (vec![334, 333, 333], vec![1, 1, 1], vec![5]));
        let twice = [therapists(1), therapists(1)].concat();
        for (minor, to) in [(2, therapists(3)), (0, therapists(1)), (-5, therapists(1)), (5, vec![]), (50, twice)] {
            assert_eq!(tip_lines(cny(minor), &to).expect_err("refused").reason(), "INVALID_ARGUMENT");
        }
        assert!(tip_lines(cny(100), &therapists(11)).is_err());
    }

    #[test]
    fn a_tip_is_owed_to_its_therapists_and_never_taken_in() {
        let outcome = paid(1_000, 3);
        assert_eq!(on(&outcome, Account::TipsPayable), [-334, -333, -333]);
        assert_eq!(
            (on(&outcome, Account::Takings), on(&outcome, Account::CustomerDeposits)),
            (vec![], vec![-1_000, 1_000])
        );
        assert!(outcome.postings.iter().any(|posting| posting.kind() == Kind::Tip));
    }

    #[test]
    fn a_tip_goes_back_by_one_line_at_a_time_only() {
        let order = paid(1_000, 3).order;
        let back = |wanted: GiveBack| {
            order.clone().give_back(OrderReturnId::new(NOW), &wanted, &TenderClass::ALL, "MISTAKE", NOW)
        };
        for wanted in [GiveBack::All, GiveBack::Amount(cny(1)), GiveBack::Lines(vec![(0, None), (1, None)])] {
            assert_eq!(back(wanted).expect_err("refused").reason(), "TIP_BY_LINE");
        }
        let outcome = back(GiveBack::Lines(vec![(1, None)])).expect("given back");
        assert_eq!((on(&outcome, Account::TipsPayable), on(&outcome, Account::CashDrawer)), (vec![333], vec![-333]));
        assert_eq!(order.close(Keep::Nothing, "X", NOW).expect_err("refused").reason(), "TIP_PAID");
    }
}
