//! The visit for which a session was set aside took place, or it did not.

use kernel::{Error, Result, Timestamp, ids::ContractUseId};
use pg::{
    Tx,
    idempotency::{self, Begin},
};
use proto::payment::v1 as pb;
use rpc::Ctx;

use super::{earn_time, lock, no_such_use, record::record};
use crate::{
    App, db,
    domain::prepaid::{Contract, Session, Use, UseState},
    rpc::convert::{self, prepaid},
};

/// The visit took place: the session's value is earned. A use that is committed stays so.
///
/// # Errors
/// `USE_VOIDED`; `NotFound`.
pub async fn commit_use(app: &App, ctx: Ctx, request: pb::CommitUseRequest) -> Result<pb::ContractUse> {
    let id = ContractUseId::parse_name("name", &request.name)?;
    let key = convert::key(&ctx, &request.request_id)?;
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, &request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    let one = commit_in_tx(&mut tx, now, ctx.caller.subject(), id).await?;
    let reply = prepaid::used(&one);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.use.committed");
    Ok(reply)
}

/// The visit did not take place: the session is free again. A use that is voided stays so.
///
/// # Errors
/// `USE_COMMITTED`; `NotFound`.
pub async fn void_use(app: &App, ctx: Ctx, request: pb::VoidUseRequest) -> Result<pb::ContractUse> {
    let id = ContractUseId::parse_name("name", &request.name)?;
    let key = convert::key(&ctx, &request.request_id)?;
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, &request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    let one = void_in_tx(&mut tx, now, id).await?;
    let reply = prepaid::used(&one);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.use.voided");
    Ok(reply)
}

async fn commit_in_tx(tx: &mut Tx, now: Timestamp, actor: &str, id: ContractUseId) -> Result<Use> {
    let (mut contract, mut one) = lock_both(tx, id).await?;
    match one.state {
        UseState::Committed(_) => return Ok(one),
        UseState::Voided(_) => {
            return Err(Error::precondition("USE_VOIDED", "the session was given back").with("use", id));
        }
        UseState::Reserved => {}
    }
    let before = contract.version;
    one.state = UseState::Committed(now);
    db::prepaid::decide(tx, &one).await?;
    match one.transfer() {
        Some(transfer) => drop(db::ledger::commit(tx, now, &[transfer]).await?),
        None => {
            let today = contract.day(now)?;
            earn_time(tx, now, &mut contract, today).await?;
        }
    }
    let session = Session { position: one.position, ordinal: one.ordinal, had: false };
    let changes = contract.use_committed(session, one.value, id.name())?;
    record(tx, now, actor, before, &contract, &changes).await?;
    Ok(one)
}

async fn void_in_tx(tx: &mut Tx, now: Timestamp, id: ContractUseId) -> Result<Use> {
    let (_, mut one) = lock_both(tx, id).await?;
    match one.state {
        UseState::Voided(_) => return Ok(one),
        UseState::Committed(_) => {
            return Err(Error::precondition("USE_COMMITTED", "the session was had").with("use", id));
        }
        UseState::Reserved => {}
    }
    one.state = UseState::Voided(now);
    db::prepaid::decide(tx, &one).await?;
    if let Some(transfer) = one.transfer() {
        db::ledger::void(tx, now, &[transfer]).await?;
    }
    Ok(one)
}

/// The contract is locked first, and the use read again after it.
async fn lock_both(tx: &mut Tx, id: ContractUseId) -> Result<(Contract, Use)> {
    let one = db::prepaid::get_use(tx, id).await?.ok_or_else(|| no_such_use(id))?;
    let contract = lock(tx, one.contract).await?;
    let one = db::prepaid::get_use(tx, id).await?.ok_or_else(|| no_such_use(id))?;
    Ok((contract, one))
}
