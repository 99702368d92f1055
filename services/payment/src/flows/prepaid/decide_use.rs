//! The visit for which a session was set aside took place, or it did not.

use kernel::{Error, Result, ids::ContractUseId};
use pg::{
    Tx,
    idempotency::{self, Begin},
};
use proto::payment::v1 as pb;
use rpc::Ctx;

use super::session;
use crate::{
    App, db,
    rpc::convert::{self, prepaid},
};

/// The visit took place: the session's value is earned. A use that is committed stays so.
///
/// # Errors
/// `USE_VOIDED`; `USE_OF_PAYMENT` if a checkout decides it; `NotFound`.
pub async fn commit_use(app: &App, ctx: Ctx, request: pb::CommitUseRequest) -> Result<pb::ContractUse> {
    let id = ContractUseId::parse_name("name", &request.name)?;
    let key = convert::key(&ctx, &request.request_id)?;
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, &request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    must_be_by_itself(&mut tx, id).await?;
    let (one, transfer) = session::commit(&mut tx, now, ctx.caller.subject(), id).await?;
    db::ledger::commit(&mut tx, now, transfer.as_slice()).await?;
    let reply = prepaid::used(&one);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.use.committed");
    Ok(reply)
}

/// The visit did not take place: the session is free again. A use that is voided stays so.
///
/// # Errors
/// `USE_COMMITTED`; `USE_OF_PAYMENT` if a checkout decides it; `NotFound`.
pub async fn void_use(app: &App, ctx: Ctx, request: pb::VoidUseRequest) -> Result<pb::ContractUse> {
    let id = ContractUseId::parse_name("name", &request.name)?;
    let key = convert::key(&ctx, &request.request_id)?;
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, &request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    must_be_by_itself(&mut tx, id).await?;
    let (one, transfer) = session::void(&mut tx, now, id).await?;
    db::ledger::void(&mut tx, now, transfer.as_slice()).await?;
    let reply = prepaid::used(&one);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.use.voided");
    Ok(reply)
}

/// That membership decides it, which has reserved it.
async fn must_be_by_itself(tx: &mut Tx, id: ContractUseId) -> Result<()> {
    match db::prepaid::get_use(tx, id).await?.and_then(|one| one.payment) {
        Some(payment) => {
            let message = "the use belongs to a payment, and is decided with it";
            Err(Error::precondition("USE_OF_PAYMENT", message).with("payment", payment))
        }
        None => Ok(()),
    }
}
