//! The order of a visit is refunded: what was earned by it goes back in proportion, also if it was paid out before.

use kernel::{Money, Result, Timestamp, ids};
use pg::Tx;

use crate::{
    db::{
        self,
        commission::{ClawBack, Earned},
    },
    domain::{
        Order,
        commission::{self, given_back},
        ledger::{Account, Entry, Kind, Transaction},
    },
};

/// Takes back what of a visit's commission goes with what was given back of its order, which this transaction has locked. What
/// is in a confirmed list is left there, and goes off the next one. Nothing happens if the visit is not completed, or nothing
/// is left to take.
///
/// # Errors
/// Those of the ledger and the database.
pub async fn take_back(tx: &mut Tx, now: Timestamp, order: &Order) -> Result<()> {
    let Some(visit) = db::commission::lock_visit(tx, order.id).await? else { return Ok(()) };
    if order.currency() != visit.price.currency() {
        return Ok(());
    }
    let gone = given_back(order)?.0.try_sub(visit.lowered)?;
    let shares: Vec<(Money, Money)> = visit.earned.iter().map(|earned| (earned.amount, earned.taken_back)).collect();
    let taken = commission::take_back(visit.price, gone, &shares)?;

    let source = ids::derive(visit.booking.uuid(), &format!("commission_reversal/{}", visit.reversals));
    let (mut entries, mut open, mut confirmed) = (Vec::new(), Vec::new(), Vec::new());
    for (Earned { accrual, payee, is_confirmed, .. }, amount) in visit.earned.iter().zip(taken) {
        if amount.is_zero() {
            continue;
        }
        entries.push(Entry::debit(payee.account().at(visit.store).of(payee.party()), amount)?);
        if *is_confirmed {
            let (id, payee) = (ids::derive(source, &format!("claw_back/{}", accrual.uuid())), payee.clone());
            confirmed.push(ClawBack { id, accrual: *accrual, payee, store: visit.store, amount, create_time: now });
        } else {
            open.push((*accrual, amount));
        }
    }
    if entries.is_empty() {
        return Ok(());
    }
    let all = entries.iter().map(|entry| entry.amount);
    entries
        .push(Entry::credit(Account::CommissionExpense.at(visit.store), Money::try_sum(visit.price.currency(), all)?)?);
    db::commission::take_back(tx, &visit, &open).await?;
    for claw_back in &confirmed {
        db::commission::insert_claw_back(tx, claw_back).await?;
    }
    let posting = Transaction::try_new(Kind::CommissionReversed, source, entries)?.of_order(order.id);
    db::ledger::post(tx, now, &posting).await?;
    Ok(())
}
