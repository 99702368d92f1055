//! Prepaid contracts, and what their end gives back.
//!
//! Whoever changes a contract locks its row; where its order is touched as well, the order's comes first.

pub mod alter_contract;
pub mod create_contract;
pub mod decide_use;
pub mod expire_contracts;
pub mod follow_order;
pub mod quote_refund_by_law;
pub mod read_contracts;
mod record;
pub mod refund_contract;
pub mod reserve_use;
pub(super) mod session;

use jiff::civil::Date;
use kernel::{
    Error, Result, Timestamp,
    ids::{ContractId, ContractUseId},
};
use pg::Tx;

use crate::{
    db,
    domain::prepaid::{Contract, settlement},
};

async fn lock(tx: &mut Tx, id: ContractId) -> Result<Contract> {
    db::prepaid::lock(tx, id).await?.ok_or_else(|| Error::not_found(id))
}

fn no_such_use(id: ContractUseId) -> Error {
    Error::not_found(id)
}

/// Books what the days of a contract for a time have earned up to and with `last`.
async fn earn_time(tx: &mut Tx, now: Timestamp, contract: &mut Contract, last: Date) -> Result<()> {
    if let Some((more, booking)) = settlement::time(contract, last)? {
        db::ledger::post(tx, now, &booking).await?;
        contract.earned(more)?;
    }
    Ok(())
}
