//! Storing what happened to a contract: its row, its history, events and audit, all in one transaction.

use kernel::{Result, Timestamp};
use pg::{
    Tx,
    audit::{self, Entry},
    outbox::{self, NewEvent},
};
use serde_json::json;

use crate::{
    db,
    domain::prepaid::{Change, Contract},
    rpc::convert::prepaid as convert,
};

/// Stores a contract that this transaction has locked when it had version `before`, with what happened to it.
pub(super) async fn record(
    tx: &mut Tx,
    now: Timestamp,
    actor: &str,
    before: i64,
    contract: &Contract,
    changes: &[Change],
) -> Result<()> {
    db::prepaid::save(tx, before, contract).await?;
    tell(tx, now, actor, contract, changes).await
}

/// Writes history, events and audit.
pub(super) async fn tell(
    tx: &mut Tx,
    now: Timestamp,
    actor: &str,
    contract: &Contract,
    changes: &[Change],
) -> Result<()> {
    let today = contract.day(now)?;
    for change in changes {
        db::prepaid::record_change(tx, now, contract, actor, change).await?;
        let event = convert::changed(contract, change, today);
        outbox::append(tx, NewEvent::new(contract.id.uuid(), change.version, now, &event)).await?;
        let entry = Entry {
            actor: actor.to_owned(),
            action: format!("payment.contract_{}", change.word),
            target: contract.id.name(),
            detail: json!({ "about": change.about, "version": change.version }),
        };
        audit::record(tx, now, entry).await?;
    }
    Ok(())
}
