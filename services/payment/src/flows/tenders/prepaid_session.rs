//! A session of a prepaid contract, which pays a line of a visit.
//!
//! A session pays its line whole, whatever the line costs and whatever the session is worth by its contract: who has paid for
//! it ahead owes nothing more, and gets nothing out. What is earned is what the session is worth. So the payment of the
//! line's price is booked against takings, which that price is added to when the order is paid, and the session's worth is
//! earned as of every other use. Where the two differ, the difference is a reduction that the contract has made.
//!
//! Given back whole, the session is free again as long as its contract runs. Of one that has ended what the session is worth
//! is paid out by hand to its holder: the contract's end has counted it as delivered. A price that sinks gives nothing back:
//! a session never becomes money.

use kernel::{
    Error, ErrorKind, Money, Result, Timestamp,
    ids::{ContractId, ContractUseId, ItemId, LedgerTransferId, PayoutId},
};
use pg::Tx;

use super::{Given, Part, Taken, Use};
use crate::{
    db,
    domain::{
        Refund,
        ledger::Account,
        payout::{Payout, State as PayoutState},
        prepaid::{UseState, settlement},
    },
    flows::prepaid::session::{self, Asked},
};

/// Why what a session is worth is paid out.
const SESSION_RETURNED: &str = "SESSION_RETURNED";

/// A session of the contract is set aside.
pub async fn reserve(tx: &mut Tx, now: Timestamp, of: Use<'_>, contract: ContractId, item: ItemId) -> Result<Given> {
    let contract = db::prepaid::lock(tx, contract).await?.ok_or_else(|| Error::not_found(contract))?;
    if contract.holder != of.order.customer {
        let message = "only its holder's visits are paid with a contract";
        return Err(Error::precondition("NOT_THE_HOLDER", message).with("contract", contract.id));
    }
    let currency = contract.terms.price.currency();
    if currency != of.payment.amount.currency() {
        let message = format!("the contract is in {currency}");
        return Err(Error::new(ErrorKind::InvalidArgument, "CURRENCY_MISMATCH", message));
    }
    let item = item.name();
    let asked = Asked { id: use_of(of), item: &item, store: of.order.store, payment: Some(of.payment.id) };
    let (_, besides) = session::reserve(tx, now, &contract, asked).await?;
    Ok(Given { parts: vec![takings(of, of.payment.amount)], besides })
}

/// It is had.
pub async fn commit(tx: &mut Tx, now: Timestamp, actor: &str, of: Use<'_>) -> Result<Option<LedgerTransferId>> {
    Ok(session::commit(tx, now, actor, use_of(of)).await?.1)
}

/// It is free again.
pub async fn void(tx: &mut Tx, now: Timestamp, of: Use<'_>) -> Result<Option<LedgerTransferId>> {
    Ok(session::void(tx, now, use_of(of)).await?.1)
}

/// Gives the session back once all of the payment has gone back.
pub async fn give_back(tx: &mut Tx, now: Timestamp, actor: &str, of: Use<'_>, refund: &Refund) -> Result<Taken> {
    let parts = vec![takings(of, refund.amount)];
    let refunds = of.order.refunds.iter().filter(|other| other.payment == of.payment.id && other.is_done());
    let back = Money::try_sum(refund.amount.currency(), refunds.map(|other| other.amount))?;
    if back != of.payment.amount {
        return Ok(Taken { parts, besides: None });
    }
    let (contract, one) = session::give_back(tx, now, actor, use_of(of)).await?;
    if one.value.is_zero() {
        return Ok(Taken { parts, besides: None });
    }
    if matches!(one.state, UseState::Returned { .. }) {
        return Ok(Taken { parts, besides: Some(settlement::taken_back(&contract, &one)?) });
    }
    let payout = Payout {
        id: PayoutId::derive(one.id.uuid(), "payout"),
        order: of.order.id,
        store: of.order.store,
        payee: contract.holder,
        amount: one.value,
        of_price: Money::zero(one.value.currency()),
        reason: SESSION_RETURNED.to_owned(),
        state: PayoutState::Due,
        create_time: now,
    };
    db::payouts::insert(tx, &payout).await?;
    let besides = Some(payout.decided(Account::Takings.at(of.order.store))?);
    Ok(Taken { parts, besides })
}

fn takings(of: Use<'_>, amount: Money) -> Part {
    Part { on: Account::Takings.at(of.order.store), amount }
}

fn use_of(of: Use<'_>) -> ContractUseId {
    ContractUseId::derive(of.payment.id.uuid(), "session")
}
