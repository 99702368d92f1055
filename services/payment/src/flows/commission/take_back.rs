//! The order of a visit is refunded: what was earned by it goes back in proportion.

use kernel::{Money, Result, Timestamp, ids};
use pg::Tx;

use crate::{
    db,
    domain::{
        Order,
        commission::{self, given_back},
        ledger::{Account, Entry, Kind, Transaction},
    },
};

/// Takes back what of a visit's commission goes with what was given back of its order, which this transaction has locked.
/// Nothing happens if the visit is not completed, or nothing is left to take.
///
/// # Errors
/// Those of the ledger and the database.
pub async fn take_back(tx: &mut Tx, now: Timestamp, order: &Order) -> Result<()> {
    let Some(visit) = db::commission::lock_visit(tx, order.id).await? else { return Ok(()) };
    if order.currency() != visit.price.currency() {
        return Ok(());
    }
    let gone = given_back(order)?.0.try_sub(visit.lowered)?;
    let shares: Vec<(Money, Money)> = visit.open.iter().map(|(_, _, earned, reversed)| (*earned, *reversed)).collect();
    let taken = commission::take_back(visit.price, gone, &shares)?;

    let (mut entries, mut rows) = (Vec::new(), Vec::new());
    for ((id, payee, ..), amount) in visit.open.iter().zip(&taken).filter(|(_, amount)| !amount.is_zero()) {
        entries.push(Entry::debit(payee.account().at(visit.store).of(payee.party()), *amount)?);
        rows.push((*id, *amount));
    }
    if rows.is_empty() {
        return Ok(());
    }
    let all = Money::try_sum(visit.price.currency(), taken)?;
    entries.push(Entry::credit(Account::CommissionExpense.at(visit.store), all)?);
    let source = ids::derive(visit.booking.uuid(), &format!("commission_reversal/{}", visit.reversals));
    db::commission::take_back(tx, &visit, &rows).await?;
    let posting = Transaction::try_new(Kind::CommissionReversed, source, entries)?.of_order(order.id);
    db::ledger::post(tx, now, &posting).await?;
    Ok(())
}
