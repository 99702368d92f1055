//! Sessions of contracts are set aside, had, freed and given back, in the transaction of whoever needs that: membership's
//! call, or the checkout of a visit. The ledger's transfer of a session is decided by the caller, after it.
//!
//! The contract is locked here, after the order, and before anything is booked.

use std::time::Duration;

use kernel::{
    Error, ErrorKind, Money, Result, Timestamp,
    ids::{ContractUseId, LedgerTransferId, PaymentId, StoreId},
};
use pg::Tx;

use super::{earn_time, lock, no_such_use, record::record};
use crate::{
    db,
    domain::{
        ledger::Transfer,
        prepaid::{Contract, Session, Use, UseState, settlement},
    },
};

/// Each use is decided by whom it was set aside for; what it sets aside must not come to nothing by itself before.
const SET_ASIDE: Duration = Duration::from_secs(3_660 * 24 * 60 * 60);

/// A session that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The id to give to the use.
    pub id: ContractUseId,
    /// What is had.
    pub item: &'a str,
    /// Where.
    pub store: StoreId,
    /// The payment by which it is used, if it is by one.
    pub payment: Option<PaymentId>,
}

/// Sets a session of a locked contract aside. Returns the transfer to be reserved, if it is worth something.
///
/// # Errors
/// Those of [`Contract::next_session`]; `USE_EXISTS` if there is a use of that id.
pub async fn reserve(
    tx: &mut Tx,
    now: Timestamp,
    contract: &Contract,
    asked: Asked<'_>,
) -> Result<(Use, Option<Transfer>)> {
    let session = contract.next_session(asked.item, contract.day(now)?)?;
    let value = match session.position {
        Some(position) => contract.terms.value(position, session.ordinal)?,
        None => Money::zero(contract.terms.price.currency()),
    };
    let one = Use {
        id: asked.id,
        contract: contract.id,
        item: asked.item.to_owned(),
        position: session.position,
        ordinal: session.ordinal,
        store: asked.store,
        value,
        payment: asked.payment,
        state: UseState::Reserved,
        create_time: now,
    };
    match db::prepaid::insert_use(tx, &one).await {
        // It came about in another contract meanwhile.
        Err(error) if error.is_constraint("prepaid_use_pkey") => return Err(exists(asked.id)),
        stored => stored?,
    }
    let transfer = match one.transfer() {
        Some(id) => Some(Transfer::try_new(id, settlement::delivered(contract, &one)?, now, now + SET_ASIDE)?),
        None => None,
    };
    Ok((one, transfer))
}

/// That there is a use of this id, with other content.
pub fn exists(id: ContractUseId) -> Error {
    let message = "there is a use of this id with other content";
    Error::new(ErrorKind::AlreadyExists, "USE_EXISTS", message).with("use", id)
}

/// What was set aside is had. Returns the transfer to be posted, if there is one. A use that is committed stays so.
///
/// # Errors
/// `USE_VOIDED`; `USE_RETURNED`; `NotFound`.
pub async fn commit(
    tx: &mut Tx,
    now: Timestamp,
    actor: &str,
    id: ContractUseId,
) -> Result<(Use, Option<LedgerTransferId>)> {
    let (mut contract, mut one) = lock_both(tx, id).await?;
    match one.state {
        UseState::Committed(_) => return Ok((one, None)),
        UseState::Voided(_) => {
            return Err(Error::precondition("USE_VOIDED", "the session was given back").with("use", id));
        }
        UseState::Returned { .. } => return Err(returned(id)),
        UseState::Reserved => {}
    }
    let before = contract.version;
    one.state = UseState::Committed(now);
    db::prepaid::decide(tx, &one).await?;
    let transfer = one.transfer();
    if transfer.is_none() {
        let today = contract.day(now)?;
        earn_time(tx, now, &mut contract, today).await?;
    }
    let session = Session { position: one.position, ordinal: one.ordinal, had: false };
    let changes = contract.use_committed(session, one.value, id.name())?;
    record(tx, now, actor, before, &contract, &changes).await?;
    Ok((one, transfer))
}

/// What was set aside is free again. Returns the transfer to be voided, if there is one. A use that is voided stays so.
///
/// # Errors
/// `USE_COMMITTED`; `USE_RETURNED`; `NotFound`.
pub async fn void(tx: &mut Tx, now: Timestamp, id: ContractUseId) -> Result<(Use, Option<LedgerTransferId>)> {
    let (_, mut one) = lock_both(tx, id).await?;
    match one.state {
        UseState::Voided(_) => return Ok((one, None)),
        UseState::Committed(_) => {
            return Err(Error::precondition("USE_COMMITTED", "the session was had").with("use", id));
        }
        UseState::Returned { .. } => return Err(returned(id)),
        UseState::Reserved => {}
    }
    one.state = UseState::Voided(now);
    db::prepaid::decide(tx, &one).await?;
    let transfer = one.transfer();
    Ok((one, transfer))
}

/// A session that was had by a payment goes back to its contract, if that still runs: then it can be had again, and what was
/// earned of it is owed again. Returns the contract and the use as they are after it.
///
/// # Errors
/// `NotFound`.
pub async fn give_back(tx: &mut Tx, now: Timestamp, actor: &str, id: ContractUseId) -> Result<(Contract, Use)> {
    let (mut contract, mut one) = lock_both(tx, id).await?;
    let UseState::Committed(had) = one.state else { return Err(returned(id)) };
    if !contract.takes_back() {
        return Ok((contract, one));
    }
    let before = contract.version;
    one.state = UseState::Returned { had, time: now };
    db::prepaid::decide(tx, &one).await?;
    let session = Session { position: one.position, ordinal: one.ordinal, had: true };
    let change = contract.use_returned(session, one.value, contract.day(now)?, id.name())?;
    record(tx, now, actor, before, &contract, &[change]).await?;
    Ok((contract, one))
}

fn returned(id: ContractUseId) -> Error {
    Error::precondition("USE_RETURNED", "what the session paid for was given back").with("use", id)
}

/// The contract is locked first, and the use read again after it.
async fn lock_both(tx: &mut Tx, id: ContractUseId) -> Result<(Contract, Use)> {
    let one = db::prepaid::get_use(tx, id).await?.ok_or_else(|| no_such_use(id))?;
    let contract = lock(tx, one.contract).await?;
    let one = db::prepaid::get_use(tx, id).await?.ok_or_else(|| no_such_use(id))?;
    Ok((contract, one))
}
